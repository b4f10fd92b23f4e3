"""Ports on 127.0.0.1: free ones, and who holds the others."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from deploy.local.errors import StackError

HOST = "127.0.0.1"
_LISTENING = "0A"
_RANGE = range(20_000, 32_000)  # below the kernel's own range, from which outgoing connections take theirs


def is_free(port: int) -> bool:
    """Whether a server may listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def take_port(wanted: int | None = None, *, avoid: frozenset[int] = frozenset()) -> int:
    """The wanted port when it is still free, else another free one."""
    if wanted and is_free(wanted):
        return wanted
    for port in random.sample(_RANGE, 200):
        if port not in avoid and is_free(port):
            return port
    raise StackError("no free port between 20000 and 32000 on 127.0.0.1")


def check_free(port: int, setting: str) -> None:
    """StackError naming the port, who holds it and the setting to change."""
    if not is_free(port):
        raise StackError(f"port {port} is taken by {holder_of(port)}: stop it, or set {setting} to another port")


def holder_of(port: int) -> str:
    """Who listens on the port, as far as /proc shows it."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        if inodes and _holds(process, inodes):
            return f"process {process.name} ({_command_of(process)})"
    return "another process"


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        for row in rows:
            _, local, _, state, *rest = row.split()
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                found.add(rest[5])
    return found


def _holds(process: Path, sockets: set[str]) -> bool:
    try:
        return any(str(entry.readlink()) in sockets for entry in (process / "fd").iterdir())
    except OSError:  # another user's process, or it has just ended
        return False


def _command_of(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "unknown"
    return " ".join(words).strip()[:80] or "unknown"
