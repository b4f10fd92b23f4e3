"""`make prove`: switches off one protection at a time in a copy of the checkout and shows which test goes red.

A protection whose tests stay green has no test: the exit status is 1. The checkout itself is never touched.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.prove.protections import PROTECTIONS, Protection
from tests.support.given import KAFKA_GIVEN, KAFKA_PID_GIVEN, POSTGRES_GIVEN
from tests.support.servers import Servers

ROOT = Path(__file__).parents[2]
COPIED = ("shared", "services", "deploy", "tests", "pyproject.toml", "README.md")
SECONDS = 240
PASSED, FAILED = 0, 1


class StaleError(Exception):
    """The line of a protection is not in its file, or not once."""


def copy_to(folder: Path) -> Path:
    """A copy of what the tests need."""
    target = folder / "checkout"
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.egg-info")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target / name)
    return target


def switch_off(copy: Path, protection: Protection) -> str:
    """Replace the protection's line in the copy; give the file as it was."""
    file = copy / protection.file
    before = file.read_text(encoding="utf-8")
    if before.count(protection.on) != 1:
        raise StaleError(f"{protection.name}: {protection.on!r} is {before.count(protection.on)} times in {protection.file}")
    file.write_text(before.replace(protection.on, protection.off), encoding="utf-8")
    return before


def run_tests(copy: Path, tests: tuple[str, ...], given: dict[str, str], scratch: Path) -> tuple[int, str]:
    """Exit status of pytest, and its last lines; a run that does not come to an end counts as failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--basetemp={scratch}", *tests]
    environment = os.environ | given | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return FAILED, f"no end within {SECONDS} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))]
    return done.returncode, "\n".join(lines[:3] or (done.stdout + done.stderr).splitlines()[-5:])


def prove(chosen: tuple[Protection, ...], folder: Path, given: dict[str, str]) -> int:
    """Run all; the exit status."""
    copy, green = copy_to(folder), 0
    for each in chosen:  # said at once, not after minutes
        (copy / each.file).write_text(switch_off(copy, each), encoding="utf-8")
    status, said = run_tests(copy, tuple(dict.fromkeys(test for each in chosen for test in each.tests)), given, folder / "whole")
    if status != PASSED:
        print(f"the tests do not pass while everything is switched on:\n{said}")
        return 1
    print(f"{'protection':40} {'result':8} {'s':>4}  test that must notice")
    for protection in chosen:
        before, began = switch_off(copy, protection), time.monotonic()
        status, said = run_tests(copy, protection.tests, given, folder / "run")
        (copy / protection.file).write_text(before, encoding="utf-8")
        result = {PASSED: "GREEN", FAILED: "red"}.get(status, "broken")
        green += result != "red"
        name = protection.tests[0].rpartition("::")[2].removeprefix("test_")
        print(f"{protection.name:40} {result:8} {time.monotonic() - began:4.0f}  {name}", flush=True)
        if result != "red":
            print(f"    {said}")
    print(f"\n{len(chosen)} protections, {green} without a test that notices")
    return 1 if green else 0


def main() -> int:
    """Choose, start the servers once for all runs, prove."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="protections, or parts of their names; all when none is given")
    asked = parser.parse_args().names
    chosen = tuple(each for each in PROTECTIONS if not asked or any(name in each.name for name in asked))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then, too
    with tempfile.TemporaryDirectory(prefix="motcua-prove-") as name:
        servers = Servers(Path(name) / "servers")
        try:
            servers.start()
            given = {
                "MOTCUA_TEST_WITHIN": "10",
                KAFKA_GIVEN: servers.kafka.address,
                KAFKA_PID_GIVEN: str(servers.kafka.pid),
                POSTGRES_GIVEN: servers.postgres.address,
            }
            return prove(chosen, Path(name), given)
        except StaleError as error:
            print(error)
            return 1
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
