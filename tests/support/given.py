"""Servers that were started before this run of the tests, as `make prove` does for its many short runs."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers import Servers

KAFKA_GIVEN, KAFKA_PID_GIVEN, POSTGRES_GIVEN = "MOTCUA_TEST_KAFKA", "MOTCUA_TEST_KAFKA_PID", "MOTCUA_TEST_POSTGRES"


@dataclass(frozen=True, slots=True)
class Given:
    """A server by its address; it can be stopped and go on, and never ends here."""

    address: str
    pid: int = 0

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server's group."""
        os.killpg(self.pid, number)


@dataclass(slots=True)
class GivenServers(Servers):
    """Both servers, given."""

    folder: Path = Path()
    kafka: Any = field(init=False)
    postgres: Any = field(init=False)

    def __post_init__(self) -> None:
        self.kafka = Given(os.environ[KAFKA_GIVEN], int(os.environ[KAFKA_PID_GIVEN]))
        self.postgres = Given(os.environ[POSTGRES_GIVEN])


def given_servers() -> Servers | None:
    """The servers that the environment names, if it does."""
    return GivenServers() if KAFKA_GIVEN in os.environ else None
