"""Starting, watching and stopping the stack from outside its supervisor."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deploy.local import ports, process
from deploy.local.containers import remove_all
from deploy.local.environment import make_environment, save_environment
from deploy.local.errors import StackError
from deploy.local.find import CONTAINER, KafkaChoice, PostgresChoice
from deploy.local.hotline import make_hotline
from deploy.local.keys import make_keys
from deploy.local.plan import WANTED, wanted
from deploy.local.process import Launch
from deploy.local.server import Say
from deploy.local.settings import CHECKOUT, PREFIX, SERVICES, LocalSettings
from deploy.local.state import StateFolder
from deploy.local.supervisor import LOCK, STATUS

if TYPE_CHECKING:
    import subprocess

OPTIONAL = ("prometheus",)
STARTED_LAST = (*SERVICES, *OPTIONAL)
READY_SECONDS = 120.0
_REMIND_SECONDS = 10.0
_LEFTOVER_SECONDS = 15.0
_STOP_SECONDS = 120.0
_POLL_SECONDS = 0.2
_TOO_MANY_EXITS = 5  # a service waits for its servers and does not end; one that ends so often is broken


@dataclass(frozen=True, slots=True)
class Wish:
    """What `motcua up` was asked to run; no units means all of them."""

    units: tuple[str, ...] = ()
    replicas: dict[str, int] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The units without Kafka and PostgreSQL, which always run."""
        return [name for name in self.units or STARTED_LAST if name in STARTED_LAST]


class Stack:
    """One state folder's stack, running or not."""

    def __init__(self, settings: LocalSettings, say: Say) -> None:
        self.settings = settings
        self.state = StateFolder(settings.state_dir)
        self.say = say
        self.supervisor: subprocess.Popen[bytes] | None = None

    def is_running(self) -> bool:
        """Whether a supervisor holds the state folder."""
        return self.state.is_locked(LOCK)

    def up(self, wish: Wish, *, detach: bool, ready_seconds: float = READY_SECONDS) -> bool:
        """Start what is not running and wait until it is ready; False when everything ran already."""
        self.state.create()
        self.state.check_space()
        if self.state.is_locked("up"):
            self.say("another `motcua up` is at work in this state folder: waiting for it")
        with self.state.lock("up", wait=True):
            return self._up(wish, detach=detach, ready_seconds=ready_seconds)

    def down(self, *, wipe: bool) -> None:
        """Stop the stack; with `wipe` also remove its content."""
        if not self.state.exists():
            return
        with self.state.lock("down", wait=True):
            self._stop_supervisor()
            self._end_leftovers()
            if wipe:
                self._forget_content()

    def status(self) -> dict[str, Any]:
        """What runs, since when, healthy or why not."""
        running = self.is_running()
        kept = self.state.load(STATUS) if running else {}
        return {
            "running": running, "state_dir": str(self.state.path), "doing": kept.get("doing", "stopped"),
            "since": kept.get("started_at"), "units": kept.get("units", {}),
        }  # fmt: skip

    def stop_what_we_started(self) -> None:
        """Stop the supervisor that this object started; interrupted meanwhile, stop at once."""
        while self.supervisor is not None and self.supervisor.poll() is None:
            with suppress(KeyboardInterrupt):
                self._stop_supervisor()

    def wait(self) -> None:
        """Until the supervisor that we started ends by itself; StackError then."""
        while self.supervisor is not None:
            self.check_supervisor()
            time.sleep(_POLL_SECONDS)

    def _up(self, wish: Wish, *, detach: bool, ready_seconds: float) -> bool:
        if self.is_running():
            started = self._widen(wish)
        else:
            self._begin(wish, detach=detach)
            started = True
        self._wait_until_ready(ready_seconds)
        return started

    def _begin(self, wish: Wish, *, detach: bool) -> None:
        self._end_leftovers()
        names = wish.names()
        self._check_ports(names)
        kafka = KafkaChoice(self.settings, self.state).find(self.say)
        postgres = PostgresChoice(self.settings, self.state).find(self.say)
        self.say(f"Kafka is of kind {kafka.kind}, PostgreSQL of kind {postgres.kind}")
        make_keys(self.state)
        make_hotline(self.state)
        environment = make_environment(self.settings, self.state, kafka=kafka.address, postgres=postgres.address)
        save_environment(self.state, environment)
        self.state.save(WANTED, {"units": names, "replicas": wish.replicas})
        (self.state.path / STATUS).unlink(missing_ok=True)
        self.supervisor = Launch(
            argv=[sys.executable, "-m", "deploy.local.supervisor"],
            log=self.state.logs / "supervisor.log",
            environment={f"{PREFIX}STATE_DIR": str(self.state.path)},
            folder=CHECKOUT,
            death_signal=None if detach else signal.SIGTERM,
        ).popen()

    def _widen(self, wish: Wish) -> bool:
        """Ask the running supervisor for what it does not run yet."""
        names, replicas = wanted(self.state)
        new = [name for name in wish.names() if name not in names]
        changed = {name: count for name, count in wish.replicas.items() if replicas.get(name, 1) != count}
        if not new and not changed:
            return False
        self._check_ports(new)
        self.state.save(WANTED, {"units": [*names, *new], "replicas": {**replicas, **changed}})
        process.signal_process(self._supervisor_pid(), signal.SIGHUP)
        return True

    def _check_ports(self, names: list[str]) -> None:
        for name in names:
            ports.check_free(self.settings.port_of(name), f"{PREFIX}{name.upper()}_PORT")

    def _wait_until_ready(self, seconds: float) -> None:
        waiting = _Waiting(self, seconds)
        while not waiting.done():
            time.sleep(_POLL_SECONDS)

    def check_supervisor(self) -> None:
        """StackError with its last words when the supervisor that we started has ended."""
        if self.supervisor is not None and (status := self.supervisor.poll()) is not None:
            if status == 0:
                raise StackError("the stack was stopped")
            words = process.last_lines(self.state.logs / "supervisor.log", 4)
            raise StackError(" | ".join(["the supervisor ended", *words]))

    def _supervisor_pid(self) -> int:
        deadline = time.monotonic() + 1
        while (pid := self.state.holder(LOCK)) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if pid is None:
            raise StackError("the supervisor cannot be found: is the stack stopping?")
        return pid

    def _stop_supervisor(self) -> None:
        if self.supervisor is None and not self.is_running():
            return
        pid = self.supervisor.pid if self.supervisor is not None else self._supervisor_pid()
        process.signal_process(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._lives() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS / 2)
        if self._lives():
            process.signal_group(pid, signal.SIGKILL)

    def _lives(self) -> bool:
        return self.is_running() if self.supervisor is None else self.supervisor.poll() is None

    def _end_leftovers(self) -> None:
        """After a supervisor was killed its programs end by themselves; make sure of it before others start."""
        units = self.state.load(STATUS).get("units", {}).values()
        alive = [unit for unit in units if unit["pid"] and process.birth_of(unit["pid"]) == unit["birth"]]
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while any(process.birth_of(unit["pid"]) == unit["birth"] for unit in alive):
            if time.monotonic() > deadline:
                for unit in alive:
                    process.signal_group(unit["pid"], signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        if CONTAINER in {self.state.recall(name).get("kind") for name in ("kafka", "postgres")}:
            remove_all(self.state.hash, volumes=False)

    def _forget_content(self) -> None:
        for choice in (KafkaChoice(self.settings, self.state), PostgresChoice(self.settings, self.state)):
            kept = self.state.recall(choice.name)
            if kept:
                choice.make(kept["kind"], kept["port"]).forget()
        self.state.wipe()


class _Waiting:
    """Waits for the wanted units, and tells what it waits for and since when."""

    def __init__(self, stack: Stack, seconds: float) -> None:
        self.stack = stack
        self.seconds = seconds
        self.began = time.monotonic()
        self.first_seen: dict[str, float] = {}
        self.ready: set[str] = set()
        self.doing = ""
        self.reminded = self.topics_since = self.began

    def done(self) -> bool:
        """Look once; StackError when a unit was not ready in time or the supervisor ended."""
        self.stack.check_supervisor()
        status = self.stack.status()
        now = time.monotonic()
        self._tell_doing(status["doing"])
        waited_for = []
        for name in self._names(status):
            began = self.first_seen.setdefault(name, now)
            unit = status["units"].get(name)
            if unit and unit["health"] == "ready":
                self._tell_ready(name, unit, now - began)
                continue
            reason = _reason(unit) or status["doing"]
            waited_for.append(f"{name} ({now - began:.0f} s: {reason})")
            if now - began > self.seconds or (unit and unit["restarts"] >= _TOO_MANY_EXITS):
                raise StackError(self._explain(name, reason, now - began))
        if not waited_for and status["doing"] != "running":
            waited_for.append(status["doing"])
            if now - self.topics_since > self.seconds:
                raise StackError(f"gave up after {self.seconds:.0f} s: {status['doing']}")
        else:
            self.topics_since = now
        if waited_for and now - self.reminded > _REMIND_SECONDS:
            self.reminded = now
            self.stack.say(f"still waiting for {', '.join(waited_for)}")
        return not waited_for and status["doing"] == "running"

    def _names(self, status: dict[str, Any]) -> list[str]:
        """Servers first; the clock of a service starts when the servers are ready."""
        if status["doing"] != "running":
            return ["kafka", "postgres"]
        names, replicas = wanted(self.stack.state)
        found = [name for name in names if name not in OPTIONAL or name in status["units"]]
        more = [f"{name}-{number}" for name in found for number in range(2, replicas.get(name, 1) + 1)]
        return ["kafka", "postgres", *found, *more]

    def _tell_doing(self, doing: str) -> None:
        if doing != self.doing and doing not in {"stopped", "starting"}:
            self.stack.say(doing if doing != "running" else "waiting for the services")
        self.doing = doing

    def _tell_ready(self, name: str, unit: dict[str, Any], seconds: float) -> None:
        if name not in self.ready:
            self.ready.add(name)
            self.stack.say(f"{name} is ready at {unit['address']} ({seconds:.1f} s)")

    def _explain(self, name: str, reason: str, seconds: float) -> str:
        lines = process.last_lines(self.stack.state.logs / f"{name}.log")
        return "\n  ".join(
            [
                f"{name} was not ready after {seconds:.0f} s ({reason}); the last lines of its log:",
                *lines,
            ]
        )


def _reason(unit: dict[str, Any] | None) -> str:
    if unit is None:
        return ""
    if unit["restarts"]:
        return f"ended {unit['restarts']} times, last: {unit['last_exit']}"
    return str(unit["reason"])
