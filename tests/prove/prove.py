"""`make prove`: switches off one protection at a time in a copy of the checkout and shows which test goes red.

A protection whose tests stay green has no test, and one whose line is no longer there is not proven: the exit status is 1.
The checkout itself is never touched. All of it takes about half an hour; `--minutes` does as many as fit and says how to go on.
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
from collections.abc import Sequence
from pathlib import Path

from tests.prove.protection import Protection
from tests.prove.protections import PROTECTIONS
from tests.support.given import KAFKA_GIVEN, KAFKA_PID_GIVEN, POSTGRES_GIVEN
from tests.support.servers import Servers

ROOT = Path(__file__).parents[2]
COPIED = ("shared", "services", "deploy", "tests", "pyproject.toml", "README.md")
SECONDS = 120
"""A run of tests that takes longer has met something that does not end."""
WITHIN_SECONDS = "10"
PASSED, FAILED = 0, 1


class StaleError(Exception):
    """The line of a protection is not in its file, or not once, or its test is not there."""


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


def switched_off(root: Path, protection: Protection) -> tuple[str, str]:
    """The text of the protection's file as it is, and with the protection switched off.

    Raises:
        StaleError: The line, or a test that should notice, is not there any more.
    """
    before = (root / protection.file).read_text(encoding="utf-8")
    if before.count(protection.on) != 1:
        raise StaleError(f"{protection.name}: {protection.on!r} is {before.count(protection.on)} times in {protection.file}")
    after = before.replace(protection.on, protection.off)
    compile(after, protection.file, "exec")
    for test in protection.tests:
        file, _, name = test.partition("::")
        if not (root / file).is_file() or (f"def {name}(" not in (root / file).read_text(encoding="utf-8") and name):
            raise StaleError(f"{protection.name}: there is no {test}")
    return before, after


def stale(root: Path, protections: Sequence[Protection]) -> list[str]:
    """What no longer fits the code, in words."""
    found = []
    for each in protections:
        try:
            switched_off(root, each)
        except (StaleError, SyntaxError, OSError) as error:
            found.append(str(error))
    return found


def run_tests(copy: Path, tests: Sequence[str], given: dict[str, str], scratch: Path) -> tuple[int, str]:
    """Exit status of pytest, and its last lines; a run that does not come to an end counts as failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--basetemp={scratch}", *tests]
    environment = os.environ | given | {"PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return FAILED, f"no end within {SECONDS} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    lines = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))]
    return process.returncode, "\n".join(lines[:3] or said.splitlines()[-5:])


def prove(chosen: Sequence[Protection], folder: Path, given: dict[str, str], minutes: float) -> int:
    """First everything on, then one protection off at a time; the exit status."""
    copy, ends_at = copy_to(folder), time.monotonic() + minutes * 60
    passing, weak, done = set[str](), 0, 0
    print(f"{'protection':40} {'result':8} {'s':>4}  test that must notice", flush=True)
    for protection in chosen:
        if time.monotonic() > ends_at:
            print(f"the time is over; go on with --from {protection.name!r}")
            break
        began, (before, after) = time.monotonic(), switched_off(copy, protection)
        said, result = "", "broken"
        if not passing.issuperset(protection.tests):
            status, said = run_tests(copy, protection.tests, given, folder / "run")
            passing |= set(protection.tests) if status == PASSED else set()
        if passing.issuperset(protection.tests):
            (copy / protection.file).write_text(after, encoding="utf-8")
            status, said = run_tests(copy, protection.tests, given, folder / "run")
            (copy / protection.file).write_text(before, encoding="utf-8")
            result = {PASSED: "GREEN", FAILED: "red"}.get(status, "broken")
        weak, done = weak + (result != "red"), done + 1
        name = protection.tests[0].rpartition("::")[2].removeprefix("test_")
        print(f"{protection.name:40} {result:8} {time.monotonic() - began:4.0f}  {name}", flush=True)
        if result != "red":
            print(f"    {said}")
    print(f"\n{done} protections of {len(PROTECTIONS)}, {weak} without a test that notices")
    return 1 if weak else 0


def choose(arguments: argparse.Namespace) -> tuple[Protection, ...]:
    """Those named by `--only` or as words, from the one that `--from` names on."""
    asked = [*arguments.names, *(arguments.only or ())]
    begins = [number for number, each in enumerate(PROTECTIONS) if arguments.begin in each.name]
    chosen = PROTECTIONS[begins[0] :] if begins else ()
    return tuple(each for each in chosen if not asked or any(name in each.name for name in asked))


def main() -> int:
    """Choose, look whether everything still fits, start the servers once for all runs, prove."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="protections, or parts of their names; all when none is given")
    parser.add_argument("--only", action="append", help="the same as a name")
    parser.add_argument("--from", dest="begin", default="", help="begin with the first protection whose name contains this")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no other after so many minutes")
    arguments = parser.parse_args()
    chosen, outdated = choose(arguments), stale(ROOT, PROTECTIONS)
    if outdated or not chosen:
        print("\n".join(outdated) or "no protection is named so")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped then, too
    with tempfile.TemporaryDirectory(prefix="motcua-prove-") as name:
        servers = Servers(Path(name) / "servers")
        try:
            servers.start()
            given = {
                "MOTCUA_TEST_WITHIN": WITHIN_SECONDS,
                KAFKA_GIVEN: servers.kafka.address,
                KAFKA_PID_GIVEN: str(servers.kafka.pid),
                POSTGRES_GIVEN: servers.postgres.address,
            }
            return prove(chosen, Path(name), given, arguments.minutes)
        except KeyboardInterrupt:
            print("stopped")
            return 1
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
