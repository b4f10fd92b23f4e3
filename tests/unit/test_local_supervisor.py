"""The supervisor with small programs in place of the services."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.local import process
from deploy.local.plan import Plan
from deploy.local.process import Launch
from deploy.local.state import StateFolder
from deploy.local.supervisor import Supervisor
from deploy.local.units import Health, Stage, Unit, Watch
from tests.support.waiting import eventually

SLEEPER = "import time; time.sleep(60)"
WRITER = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path({path!r}).open("a").write("{name} ")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("on", flush=True)
time.sleep(60)
"""
PARENT = """
import pathlib, sys, time
from deploy.local.process import Launch
print(Launch(argv=[sys.executable, "-c", {code!r}], log=pathlib.Path({log!r})).popen().pid, flush=True)
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"


async def until(condition: Callable[[], object]) -> None:
    async def look() -> object:
        return condition()

    await eventually("the condition of the test", look, within=10, every=0.02)


def _unit(folder: Path, name: str, code: str, stage: Stage = Stage.SERVICE, grace: float = 5) -> Unit:
    launch = Launch(argv=[sys.executable, "-c", code], log=folder / f"{name}.log", grace_seconds=grace)
    return Unit(name=name, stage=stage, launch=lambda: launch, fault=_always_well)


async def _always_well() -> None:
    return None


def _nothing() -> None:
    return None


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.create()
    return folder


async def test_a_program_that_crashes_is_started_again_and_counted(tmp_path: Path) -> None:
    watch = Watch(_unit(tmp_path, "fake", "import sys; sys.exit(3)"), _nothing)
    watch.start()
    await until(lambda: watch.restarts == 2)
    assert watch.last_exit == "exit 3"
    assert watch.as_dict()["health"] == "restarting"
    await watch.stop(asyncio.Event())
    assert watch.as_dict()["health"] == "stopped"


async def test_a_killed_program_is_started_again_with_another_pid(tmp_path: Path) -> None:
    watch = Watch(_unit(tmp_path, "fake", SLEEPER), _nothing)
    watch.start()
    await watch.ready()
    assert watch.process is not None
    first = watch.process.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: watch.process is not None and watch.process.pid != first and watch.health is Health.READY)
    assert watch.last_exit == "killed by SIGKILL"
    await watch.stop(asyncio.Event())


async def test_a_program_that_will_not_stop_is_killed_after_its_grace(tmp_path: Path) -> None:
    watch = Watch(_unit(tmp_path, "fake", STUBBORN, grace=0.3), _nothing)
    watch.start()
    await until(lambda: process.last_lines(tmp_path / "fake.log"))
    await watch.stop(asyncio.Event())
    assert watch.last_exit == "killed by SIGKILL"


async def test_hurry_ends_the_grace_at_once(tmp_path: Path) -> None:
    watch = Watch(_unit(tmp_path, "fake", STUBBORN, grace=60), _nothing)
    watch.start()
    await until(lambda: process.last_lines(tmp_path / "fake.log"))
    hurry = asyncio.Event()
    hurry.set()
    async with asyncio.timeout(5):
        await watch.stop(hurry)
    assert watch.last_exit == "killed by SIGKILL"


async def test_a_program_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    launch = Launch(argv=["/nowhere/at/all"], log=tmp_path / "fake.log")
    watch = Watch(Unit(name="fake", stage=Stage.SERVICE, launch=lambda: launch, fault=_always_well), _nothing)
    watch.start()
    await until(lambda: watch.restarts)
    await watch.stop(asyncio.Event())
    assert process.last_lines(tmp_path / "fake.log")[0] == "/nowhere/at/all: No such file or directory"


async def test_services_start_after_the_servers_and_stop_before_them(state: StateFolder) -> None:
    told: list[str] = []
    path = str(state.path / "order")
    server = _unit(state.path, "server", WRITER.format(path=path, name="server"), Stage.BROKER)
    service = _unit(state.path, "service", WRITER.format(path=path, name="service"))

    async def topics() -> None:
        told.append("topics")

    supervisor = Supervisor(Plan(state=state, servers=[server], services=lambda: [service], before_services=topics))
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.doing == "running" and supervisor.watches["service"].health is Health.READY)
    await until(lambda: all(process.last_lines(state.path / f"{name}.log") for name in ("server", "service")))
    assert told == ["topics"]
    shown = json.loads((state.path / "status.json").read_text())
    assert shown["units"]["service"]["health"] == "ready"
    supervisor.ask_to_stop()
    await running
    assert (state.path / "order").read_text() == "service server "


async def test_what_is_no_longer_wanted_is_stopped_and_what_is_new_started(state: StateFolder) -> None:
    wanted = [_unit(state.path, "one", SLEEPER)]
    supervisor = Supervisor(Plan(state=state, servers=[], services=lambda: list(wanted)))
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.doing == "running")
    wanted[:] = [_unit(state.path, "two", SLEEPER)]
    os.kill(os.getpid(), signal.SIGHUP)
    await until(lambda: list(supervisor.watches) == ["two"])
    supervisor.ask_to_stop()
    await running
    assert supervisor.doing == "stopped"


async def test_a_failing_creation_of_topics_is_tried_again(state: StateFolder) -> None:
    tries: list[int] = []

    async def topics() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("not yet")

    before: Callable[[], Awaitable[None]] = topics
    supervisor = Supervisor(Plan(state=state, servers=[], services=list, before_services=before))
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.doing == "running")
    supervisor.ask_to_stop()
    await running
    assert len(tries) == 2


async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = PARENT.format(code=SLEEPER, log=str(tmp_path / "log"))
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert process.birth_of(child)
    parent.kill()
    parent.wait()
    await until(lambda: process.birth_of(child) is None)
    assert process.birth_of(child) is None
