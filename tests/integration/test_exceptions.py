"""The list of exceptions: whoever is late and open without an apology is named (Decree 61/2018/NĐ-CP, art. 19.9)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.words import Origin, Outcome, StopKind
from shared.security.tokens import Role
from tests.support.office import running_office
from tests.support.servers import Servers

FILED = datetime(2020, 12, 1, 1, tzinfo=UTC)
DUE_ON = datetime(2020, 12, 15, 10, tzinfo=UTC)
"""Ten working days later, 17:00."""
APOLOGY = ask.Extend(new_due_at=DUE_ON + timedelta(days=2), reason="complex", apology="issued")
MOVES: dict[str, list[tuple[float, Command]]] = {
    "late": [],
    "late under an officer's hands": [(3, ask.CompleteStep(step="examine", unit="labour"))],
    "late with an apology": [(4, APOLOGY)],
    "resolved late": [(16, ask.Resolve(outcome=Outcome.GRANTED))],
    "stopped in time": [(5, ask.Stop(stop_kind=StopKind.SUSPENDED, reason="awaiting_court_decision"))],
    "stopped when it was late": [(16, ask.Stop(stop_kind=StopKind.SUSPENDED, reason="awaiting_court_decision"))],
    "terminated": [(16, ask.Stop(stop_kind=StopKind.TERMINATED, reason="no_answer"))],
}
"""What becomes of dossiers that were accepted on the same morning, by days after it."""


async def test_requirement_06_every_overdue_and_open_dossier_without_apology_is_in_the_exception_list(
    servers: Servers, tmp_path: Path
) -> None:
    agency = f"a{secrets.token_hex(4)}"
    cases: dict[UUID, str] = {uuid4(): name for name in MOVES}
    async with running_office(servers, tmp_path / "office") as office:
        for case_id, name in cases.items():
            await office.submit(case_id, FILED, Origin.REPLAY, agency)
            moves = [(0.0, ask.Accept(unit="one-stop")), *MOVES[name]]
            for days, command in moves:
                await office.command(case_id, command, FILED + timedelta(days=days), Origin.REPLAY, agency=agency)
        for case_id, name in cases.items():
            await office.facts(case_id, 1 + len(MOVES[name]))
        async with office.client(Role.IMPORTER, agency) as importer, office.client(Role.OFFICER, agency) as officer:
            clock = {"mode": "historical", "at": (FILED + timedelta(days=20)).isoformat()}
            assert (await importer.put(f"/v1/agencies/{agency}/clock", json=clock)).status_code == 200

            async def names(query: str) -> set[str]:
                answer = await officer.get(f"/v1/cases?{query}")
                assert answer.status_code == 200, answer.text
                return {cases[UUID(item["case_id"])] for item in answer.json()["items"]}

            late = {"late", "late under an officer's hands", "stopped when it was late"}
            assert await names("overdue=true&apology=false") == late
            assert await names("overdue=true") == {*late, "late with an apology"}
            assert await names("apology=true") == {"late with an apology"}
            assert len(await names("apology=false")) == len(MOVES) - 1
            with pytest.raises(AssertionError, match="422"):
                await names("apology=perhaps")
