"""What a reader must know of the machine beside a figure."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import asyncpg

STAT = Path("/proc/stat")


async def machine(postgres: str) -> dict[str, Any]:
    """Cores, memory, load, versions, and whether PostgreSQL commits durably."""
    connection = await asyncpg.connect(postgres)
    try:
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        server = {name: await connection.fetchval(f"show {name}") for name in names}
    finally:
        await connection.close()
    return {
        "cpu": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgres": server,
    }


def _first(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def cpu_ticks() -> tuple[int, int]:
    """Ticks of all cores so far: stolen by the host, and all of them."""
    try:
        values = [int(value) for value in STAT.read_text().splitlines()[0].split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return values[7], sum(values)


def stolen_percent(before: tuple[int, int], after: tuple[int, int]) -> float:
    """How much of the time between two readings the host gave to others."""
    whole = after[1] - before[1]
    return round(100 * (after[0] - before[0]) / whole, 1) if whole > 0 else 0.0
