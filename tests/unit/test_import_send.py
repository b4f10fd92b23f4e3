"""In which order a past is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from deploy.history.plan import Past, PastCase, PastCommand, numbered
from deploy.history.send import CHUNK, send
from deploy.history.services import Services
from shared.contracts.commands import Accept, CompleteStep
from shared.contracts.words import Origin

AT = datetime(2018, 1, 1, tzinfo=UTC)


class Heard:
    """Services that remember what came; a command of a case that was not filed fails."""

    def __init__(self) -> None:
        self.filed: set[str] = set()
        self.sent: list[tuple[str, int]] = []

    async def file(self, cases: Sequence[PastCase]) -> list[str]:
        self.filed |= {case.external_id for case in cases}
        return [f"id-{case.external_id}" for case in cases]

    async def command(self, _agency: str, _origin: Origin, moves: Sequence[tuple[str, PastCase, PastCommand]]) -> None:
        for case_id, case, move in moves:
            assert case.external_id in self.filed
            assert case_id == f"id-{case.external_id}"
            self.sent.append((case.external_id, move.number))


async def test_cases_filed_at_one_moment_on_both_sides_of_a_chunk_are_all_sent_once() -> None:
    moves: list[tuple[datetime, Any]] = [(AT, Accept()), (AT, CompleteStep(step="A"))]
    cases = [PastCase(str(n), AT, {}, numbered(iter(moves))) for n in range(CHUNK * 2 + 3)]
    heard = Heard()
    await send(cast("Services", heard), Past("so", Origin.IMPORT, cases), lambda *_: None)
    assert sorted(heard.sent) == sorted((case.external_id, number) for case in cases for number in (1, 2))
