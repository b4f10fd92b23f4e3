"""A Kafka or a PostgreSQL that the stack starts, watches and stops, whatever it is made of."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Self

from deploy.local import process
from deploy.local.errors import StackError

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    from deploy.local.process import Launch

Say = Callable[[str], None]
_POLL_SECONDS = 0.1


def quiet(text: str) -> None:
    """A `Say` that says nothing."""


class Server(ABC):
    """One server process. Everything here is synchronous; `start` returns when the server answers.

    Start it from the main thread: only then does the kernel end it when this program dies.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    port: int

    def __init__(self) -> None:
        self._launch: Launch | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """What clients connect to."""

    @abstractmethod
    def prepare(self, say: Say = quiet) -> None:
        """Make its folder or volume once; safe to repeat."""

    @abstractmethod
    def launch(self) -> Launch:
        """How to start it; it keeps its port and its content from start to start."""

    @abstractmethod
    def fault(self) -> str | None:
        """None when it answers, else why not."""

    def forget(self) -> None:  # noqa: B027 - most have nothing outside
        """Remove what lies outside its folder; its process must be stopped."""

    def kill(self) -> None:
        """Kill -9, as a crash would."""
        if self._process is not None:
            process.signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int | None:
        """The running process, None when it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def start(self, timeout: float = 90) -> Self:
        """Prepare, start, wait until it answers (seconds); StackError with its last log lines when it does not."""
        self.prepare()
        self._launch = self.launch()
        self._process = self._launch.popen()
        deadline = time.monotonic() + timeout
        while (fault := self.fault()) is not None:
            if self.pid is None or time.monotonic() > deadline:
                self.stop()
                raise StackError(" | ".join([f"{self.name} did not start ({fault})", *process.last_lines(self._launch.log)]))
            time.sleep(_POLL_SECONDS)
        return self

    def stop(self) -> None:
        """Stop it in order; its content and its port stay for the next start."""
        if self._process is not None and self._launch is not None:
            process.stop(self._process, self._launch)

    def send(self, number: signal.Signals) -> None:
        """Send a signal such as SIGSTOP to the process and its group."""
        if self.pid is not None:
            process.signal_group(self.pid, number)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
