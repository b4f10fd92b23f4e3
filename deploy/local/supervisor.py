"""The process that keeps the stack running: `python -m deploy.local.supervisor`, started by `motcua up`.

SIGTERM and SIGINT stop everything in order, a second one at once; SIGHUP reads again what is wanted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deploy.local.errors import StackError
from deploy.local.plan import Plan, make_plan
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from deploy.local.units import FIRST_DELAY, LONGEST_DELAY, Stage, Unit, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

STATUS = "status.json"
LOCK = "supervisor"


class Supervisor:
    """Runs a plan until told to stop, and writes `status.json` at every change."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.watches: dict[str, Watch] = {}
        self.doing = "starting"
        self.started_at = datetime.now(UTC)
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._reread = asyncio.Event()

    async def run(self) -> None:
        """Start, keep, stop."""
        self._listen()
        keeping = asyncio.create_task(self._keep())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        stopping.cancel()
        self._say("stopping")
        for stage in sorted(Stage, reverse=True):
            await self._stop_all(watch for watch in self.watches.values() if watch.unit.stage is stage)
        self._say("stopped")
        if not keeping.cancelled() and (error := keeping.exception()):
            raise error

    def ask_to_stop(self) -> None:
        """Stop in order; asked twice, at once."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reread.set)

    async def _keep(self) -> None:
        for unit in self.plan.servers:
            self._watch(unit)
        self._say("waiting for " + " and ".join(unit.name for unit in self.plan.servers))
        await asyncio.gather(*(watch.ready() for watch in self.watches.values()))
        await self._make_ready()
        while True:
            await self._follow_wishes()
            self._say("running")
            await self._reread.wait()
            self._reread.clear()

    async def _make_ready(self) -> None:
        """Topics come before services; a broker that fails meanwhile is waited for."""
        delay = FIRST_DELAY
        while self.plan.before_services is not None:
            self._say("creating topics")
            try:
                await self.plan.before_services()
            except StackError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is shown and tried again
                self._say(f"creating topics failed ({type(error).__name__}: {error}), tried again in {delay:g} s")
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY)
            else:
                return

    async def _follow_wishes(self) -> None:
        units = {unit.name: unit for unit in self.plan.services()}
        kept = {unit.name for unit in self.plan.servers}
        surplus = [watch for name, watch in self.watches.items() if name not in units and name not in kept]
        await self._stop_all(surplus)
        for watch in surplus:
            del self.watches[watch.unit.name]
        for name, unit in units.items():
            if name not in self.watches:
                self._watch(unit)

    async def _stop_all(self, watches: Iterable[Watch]) -> None:
        await asyncio.gather(*(watch.stop(self._hurry) for watch in watches))

    def _watch(self, unit: Unit) -> None:
        watch = self.watches[unit.name] = Watch(unit, self.write_status)
        watch.start()

    def _say(self, doing: str) -> None:
        self.doing = doing
        print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {doing}", flush=True)  # its log file
        self.write_status()

    def write_status(self) -> None:
        """What `motcua status` and `motcua up` read."""
        content = {
            "pid": os.getpid(),
            "doing": self.doing,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "units": {name: watch.as_dict() for name, watch in self.watches.items()},
        }
        self.plan.state.save(STATUS, content)


def run(plan: Plan) -> int:
    """Run a plan in this process while holding the state folder's lock; 1 when another supervisor has it."""
    with plan.state.lock(LOCK, wait=False) as held:
        if not held:
            print("another supervisor holds this state folder", flush=True)
            return 1
        try:
            asyncio.run(_run(plan))
        except StackError as error:
            print(error, flush=True)
            return 1
    return 0


async def _run(plan: Plan) -> None:
    await Supervisor(plan).run()


def main() -> int:
    """Run the plan that `motcua up` left in the state folder."""
    settings = load_settings()
    return run(make_plan(settings, StateFolder(settings.state_dir)))


if __name__ == "__main__":
    sys.exit(main())
