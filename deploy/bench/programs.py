"""Starts floors and product-side runs as processes of their own; each prints one JSON document and checks its own result."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.bench.benchmarks import Benchmark
from deploy.bench.figures import Figure, FigureError
from deploy.errors import CommandError
from deploy.local.settings import CHECKOUT

FLOORS_SETTING = "MOTCUA_BENCH_FLOORS"
LAST_LINES = 20


def find_floors() -> Path:
    """The folder of the floors; CommandError says loudly that there is none."""
    folder = Path(os.environ.get(FLOORS_SETTING) or CHECKOUT.parent / "shared" / "bench")
    if not (folder / "floor.py").is_file():
        raise CommandError(
            f"THE FLOORS WERE NOT FOUND: there is no floor.py in {folder}. Without them no ratio can be measured: "
            f"set {FLOORS_SETTING} to their folder"
        )
    return folder


def check_checkout() -> None:
    """CommandError unless the product's side is here: it lies among the tests, which are not installed."""
    if not (CHECKOUT / "tests" / "benchmarks" / "consumer.py").is_file():
        raise CommandError("benchmarks run from a checkout of the project: an installed package has no tests/benchmarks")


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs both sides of a benchmark against the same servers, with the same size."""

    floors: Path
    kafka: str
    postgres: str

    async def run(self, side: str, benchmark: Benchmark, n: int, seed: int) -> Figure:
        """One run; CommandError when it fails, its own check included."""
        if side == "floor":
            program, folder = [str(self.floors / "floor.py"), benchmark.floor], self.floors
        else:
            program, folder = ["-m", f"tests.benchmarks.{benchmark.name}"], CHECKOUT
        servers = ["--kafka", self.kafka, "--postgres", self.postgres, "--n", str(n), "--seed", str(seed)]
        said = await _run([sys.executable, "-B", *program, *servers], folder, benchmark.seconds, f"{benchmark.name}, {side}")
        try:
            return Figure.read(json.loads(said.splitlines()[-1]))
        except (FigureError, ValueError, IndexError) as error:
            raise CommandError(f"{benchmark.name}, {side}: {error}") from None


async def _run(command: list[str], folder: Path, seconds: float, what: str) -> str:
    """What a program prints; it is ended with all its children when it takes too long, or we are ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
    )
    try:
        async with asyncio.timeout(seconds):
            said, complained = await process.communicate()
    except TimeoutError:
        raise CommandError(f"{what}: no result within {seconds:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        lines = "\n".join(complained.decode(errors="replace").splitlines()[-LAST_LINES:])
        raise CommandError(f"{what}: FAILED with status {process.returncode}\n{lines}")
    return said.decode()
