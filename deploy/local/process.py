"""How the stack starts other programs: own session, own log file, never outliving the one who started them."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deploy.local.errors import StackError

_LAUNCHER = Path(__file__).with_name("launcher.py")
_ROTATE_BYTES = 10 * 1024 * 1024
_UNCHANGED = (-1, -1)


@dataclass(frozen=True, slots=True)
class User:
    """An unprivileged user to run a program as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A program to start. `environment` is added to ours; `grace_seconds` passes between the stop signal and SIGKILL.

    `death_signal` comes from the kernel when we die; None lets the program live on.
    """

    argv: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = signal.SIGKILL
    grace_seconds: float = 25.0

    def popen(self) -> subprocess.Popen[bytes]:
        """Start it, for callers that are not asynchronous."""
        with self._open_log() as log:
            return subprocess.Popen(
                self._argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=self._environment(), cwd=self.folder, start_new_session=True, umask=0o077,
            )  # fmt: skip

    async def spawn(self) -> asyncio.subprocess.Process:
        """Start it from the event loop of the main thread."""
        with self._open_log() as log:
            return await asyncio.create_subprocess_exec(
                *self._argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=self._environment(), cwd=self.folder, start_new_session=True, umask=0o077,
            )  # fmt: skip

    def _argv(self) -> list[str]:
        # The kernel sends the death signal when the starting *thread* ends, so only the main thread may ask for it.
        in_main = threading.current_thread() is threading.main_thread()
        death_signal = int(self.death_signal or 0) if in_main else 0
        uid, gid = (self.user.uid, self.user.gid) if self.user else _UNCHANGED
        words = [os.getpid(), death_signal, uid, gid]
        return [sys.executable, "-I", "-S", str(_LAUNCHER), *map(str, words), *self.argv]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}

    def _open_log(self) -> IO[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _ROTATE_BYTES:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        return self.log.open("ab")


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a started program and what it started in its session; nothing when it has ended."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def signal_process(pid: int, number: signal.Signals) -> None:
    """Signal one process; nothing when it has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def stop(process: subprocess.Popen[bytes], launch: Launch) -> None:
    """Ask it to stop, and kill it after the grace."""
    if process.poll() is None:
        signal_process(process.pid, launch.stop_signal)
    try:
        process.wait(launch.grace_seconds)
    except subprocess.TimeoutExpired:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def birth_of(pid: int) -> int | None:
    """When a process began, in the kernel's ticks since boot: with its pid this names it for ever. None when it is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] == "Z" else int(after_name[19])


def unprivileged_user() -> User | None:
    """The user for servers that refuse to run as root: none when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(name, entry.pw_uid, entry.pw_gid)
    raise StackError("PostgreSQL refuses to run as root and there is neither a user postgres nor nobody: run as another user")


def can_reach(path: Path, user: User | None) -> bool:
    """Whether the user may pass through every folder above the path."""
    if user is None:
        return True
    return all(_may_pass(folder.stat(), user) for folder in path.resolve().parents if folder.exists())


def _may_pass(status: os.stat_result, user: User) -> bool:
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def last_lines(path: Path, count: int = 8) -> list[str]:
    """The last lines of a log file, at most 16 KB of it."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16_384))
        return file.read().decode(errors="replace").splitlines()[-count:]


def describe_exit(status: int) -> str:
    """An exit status in words: `exit 3` or `killed by SIGKILL`."""
    if status >= 0:
        return f"exit {status}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-status).name}"
    return f"killed by signal {-status}"
