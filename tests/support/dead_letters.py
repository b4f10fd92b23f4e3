"""What tests of dead letters have in common: a handler that can be mended, and looks at what is parked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contracts.events import StepCompleted
from shared.contracts.words import Kind
from shared.messaging.delivery import Delivery
from shared.persistence.work import Work
from tests.support.sample import Sample, remember
from tests.support.waiting import eventually

BY = "test"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def step(name: str) -> StepCompleted:
    """A step is done."""
    return StepCompleted(agency="test", kind=Kind.DOSSIER, step=name)


class Mendable:
    """A handler that refuses some steps until it is mended."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.slow = 0.0

    async def __call__(self, work: Work[Any], deliveries: Sequence[Delivery]) -> None:
        if self.slow:
            await work.tx.driver.execute("select pg_sleep($1)", self.slow)
        for delivery in deliveries:
            if delivery.body.step in self.refused:
                raise KeyError(delivery.body.step)
        await remember(work, deliveries)


async def parked(sample: Sample, *columns: str) -> list[tuple[Any, ...]]:
    """What is parked, in the order of the topic; by default the reasons."""
    names = ", ".join(columns or ("reason",))
    return [tuple(row) for row in await sample.query(f"select {names} from parked where state = 'parked' order by position")]


async def until_parked(sample: Sample, number: int, within: float = 30.0) -> None:
    """Wait for so many parked records."""

    async def look() -> bool:
        return len(await parked(sample)) == number

    await eventually(f"{number} records are parked", look, within=within)


async def counted(sample: Sample, case_id: UUID) -> int:
    """How many parked records the case's row counts."""
    ((number,),) = await sample.query("select parked from cases where case_id = $1", case_id)
    return int(number)


async def send_steps(sample: Sample, case_id: UUID, *names: str, first: int = 1) -> None:
    """Put steps of a case on the topic, numbered from `first`."""
    for number, name in enumerate(names, first):
        await sample.send(case_id, step(name), number, NOW)
