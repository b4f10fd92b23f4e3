"""CPU time of groups of processes, read from /proc (Linux, ticks of 10 ms)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import asyncpg

PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """User and system time of one process since its start; 0 when it cannot be seen."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter:
    """CPU seconds of groups of processes while it runs; it may be started and stopped again, and adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._begun: dict[str, dict[int, float]] = {}

    def start(self, **groups: Iterable[int]) -> None:
        """Begin; a group is the ids of its processes."""
        self._begun = {name: {pid: cpu_seconds(pid) for pid in pids} for name, pids in groups.items()}

    def stop(self, **joined: Iterable[int]) -> None:
        """End; `joined` names processes of a group that came meanwhile, which count from their start."""
        for name, begun in self._begun.items():
            pids = {*begun, *joined.get(name, ())}
            self.seconds[name] += sum(max(cpu_seconds(pid) - begun.get(pid, 0.0), 0.0) for pid in pids)
        self._begun = {}

    def per_item(self, count: int) -> dict[str, float]:
        """Microseconds per item by group; a group that never ran is left out."""
        return {name: round(seconds / count * 1e6, 1) for name, seconds in self.seconds.items() if seconds > 0}


async def backends(server: str, prefix: str) -> list[int]:
    """The server processes behind our services' connections to databases of this prefix; none when the server is elsewhere."""
    connection = await asyncpg.connect(server)
    try:
        found = "select pid from pg_stat_activity where starts_with(datname, $1) and application_name like 'motcua-%'"
        pids = [row[0] for row in await connection.fetch(found, prefix)]
    finally:
        await connection.close()
    return pids if all(_is_postgres(pid) for pid in pids) else []


def _is_postgres(pid: int) -> bool:
    try:
        return b"postgres" in (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
