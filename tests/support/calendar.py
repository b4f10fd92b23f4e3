"""What the tests of the calendar ask of a running processing service."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from shared.contracts import commands as ask
from shared.contracts.envelope import Envelope
from shared.contracts.events import DueDateRecalculated
from shared.contracts.words import Origin
from tests.support.office import AGENCY, Office
from tests.support.waiting import eventually

FILED = datetime(2020, 12, 17, 1, tzinfo=UTC)


async def revision(http: httpx.AsyncClient) -> int:
    """The number of the calendar's last change."""
    number: int = (await http.get("/v1/calendar")).json()["revision"]
    return number


async def accepted(office: Office, agency: str = AGENCY, count: int = 1, at: datetime = FILED) -> list[UUID]:
    """Cases of 10 committed and 15 statutory working days, accepted in the past: due on 31 December and 8 January."""
    cases = [uuid4() for _ in range(count)]
    for case_id in cases:
        await office.submit(case_id, at, Origin.REPLAY, agency)
        await office.command(case_id, ask.Accept(), at, Origin.REPLAY, agency=agency)

    async def there() -> bool:
        rows = await office.query("select 1 from cases where case_id = any($1::uuid[]) and status = 2", cases)
        return len(rows) == count

    await eventually("the cases are accepted", there)
    return cases


async def due(office: Office, case_id: UUID) -> tuple[date, date]:
    """A case's due dates in Viet Nam: the appointment and the law's own."""
    (row,) = await office.query(
        "select timezone('Asia/Ho_Chi_Minh', due_at)::date, timezone('Asia/Ho_Chi_Minh', statutory_due_at)::date "
        "from cases where case_id = $1",
        case_id,
    )
    return row[0], row[1]


async def swept(http: httpx.AsyncClient, number: int) -> dict[str, Any]:
    """Wait until the open cases were counted again for a change."""

    async def ended() -> dict[str, Any]:
        sweep: dict[str, Any] = (await http.get("/v1/calendar")).json()["recalculation"]
        return sweep if sweep["revision"] == number and sweep["ended_at"] else {}

    return await eventually("the cases were counted again", ended)


async def calendar_facts(office: Office, count: int) -> list[tuple[Envelope, str]]:
    """The first facts about the calendar on the topic."""

    def found() -> list[tuple[Envelope, str]]:
        return [each for each in office.stated if each[0].type == "calendar.changed"]

    async def look() -> list[tuple[Envelope, str]]:
        await office.listen()
        return found() if len(found()) >= count else []

    return await eventually(f"{count} facts about the calendar", look)


async def recalculations(office: Office, case_id: UUID) -> list[DueDateRecalculated]:
    """The facts of other due dates in a case's history."""
    rows = await office.query(
        "select body from history where case_id = $1 and type = 'case.due_date_recalculated' order by sequence", case_id
    )
    return [DueDateRecalculated.model_validate_json(row[0]) for row in rows]
