"""The calendar on real Kafka and PostgreSQL: changed by an administrator, in force from then on, and for open cases too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.processing import repository
from services.processing.handlers.calendar import change_calendar, rules_in_force
from services.processing.handlers.recalculating import recalculate_batch, recalculate_cases, tell_first_calendar
from services.processing.handlers.settling import Rules
from shared.calendar import CalendarDay, DayKind, DayStatus, format_days, load_calendar, local_date
from shared.contracts import commands as ask
from shared.contracts.events import DueDateRecalculated
from shared.contracts.words import Origin
from shared.security.tokens import Role
from tests.support.calendar import accepted, calendar_facts, due, recalculations, revision, swept
from tests.support.office import AGENCY, Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

PAST = "calendar-past"
RULES = Rules()
DAY = "/v1/calendar/days/{}"
HOLIDAY = {"kind": "OFF", "name_vi": "Nghỉ thêm", "name_en": "One more day off"}


@pytest.fixture
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture
async def admin(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client(Role.ADMIN, None) as http:

        async def ready() -> bool:
            return (await http.get("/health/ready")).status_code == 200 and (await revision(http)) == 1

        await eventually("the calendar is there", ready)
        yield http


async def test_the_first_calendar_is_the_packaged_one_and_is_stated_once(office: Office, admin: httpx.AsyncClient) -> None:
    shown = (await admin.get("/v1/calendar")).json()
    assert len(shown["days"]) == len(load_calendar().days)
    assert (shown["hours"], shown["agencies"]) == (["07:00-11:30", "13:30-17:00"], {})
    assert (shown["years"][0], shown["provisional_years"]) == (2020, [2027])
    (fact,) = await calendar_facts(office, 1)
    assert (fact[0].sequence, fact[0].subject, fact[0].agency) == (1, "city", "city")
    assert len(json.loads(fact[1])["days"]) == len(shown["days"])
    await tell_first_calendar(office.app.state.runtime.store, RULES)
    assert await office.query("select 1 from outbox") == []


async def test_everybody_with_a_token_reads_and_only_the_citys_administrator_changes(
    office: Office, admin: httpx.AsyncClient
) -> None:
    for role in Role:
        async with office.client(role) as http:
            assert (await http.get("/v1/calendar", params={"year": 2026})).status_code == 200
            asked = (
                await http.put(DAY.format("2026-12-24"), json=HOLIDAY),
                await http.delete(DAY.format("2026-09-02")),
                await http.put("/v1/calendar/days", json={"days": []}),
                await http.put("/v1/calendar/hours", json={"spans": ["08:00-12:00"]}),
                await http.put("/v1/calendar/hours/other", json={"spans": ["08:00-12:00"]}),
            )
            assert {answer.status_code for answer in asked} == {403}, role
    async with httpx.AsyncClient(transport=httpx.ASGITransport(office.app), base_url="http://office") as nobody:
        assert (await nobody.get("/v1/calendar")).status_code == 401
    async with office.client(Role.ADMIN) as own:
        assert (await own.put(f"/v1/calendar/hours/{AGENCY}", json={"spans": ["08:00-12:00"]})).status_code == 200
    assert await revision(admin) == 2


async def test_a_change_is_in_force_for_the_next_decision_and_asking_again_changes_nothing(
    office: Office, admin: httpx.AsyncClient
) -> None:
    (before,) = await accepted(office)
    assert await due(office, before) == (date(2020, 12, 31), date(2021, 1, 8))
    for _ in range(2):
        answer = await admin.put(DAY.format("2020-12-24"), json=HOLIDAY)
        assert (answer.status_code, answer.json()["revision"]) == (200, 2), answer.text
    (after,) = await accepted(office)
    assert await due(office, after) == (date(2021, 1, 4), date(2021, 1, 11))
    for _ in range(2):
        assert (await admin.delete(DAY.format("2020-12-24"))).json()["revision"] == 3
    (again,) = await accepted(office)
    assert await due(office, again) == (date(2020, 12, 31), date(2021, 1, 8))
    facts = await calendar_facts(office, 3)
    assert [envelope.sequence for envelope, _ in facts] == [1, 2, 3]
    assert [len(json.loads(body)["days"]) for _, body in facts] == [118, 119, 118]


async def test_an_agency_with_its_own_counter_hours_has_its_own_appointments(office: Office, admin: httpx.AsyncClient) -> None:
    answer = await admin.put("/v1/calendar/hours/early", json={"spans": ["07:00-11:30", "13:00-16:30"]})
    assert answer.json()["agencies"] == {"early": ["07:00-11:30", "13:00-16:30"]}
    (early,), (usual,) = await accepted(office, "early"), await accepted(office)
    rows = await office.query("select case_id, due_at from cases where case_id = any($1::uuid[])", [early, usual])
    assert {row[0]: row[1].hour + row[1].minute / 60 for row in rows} == {early: 9.5, usual: 10.0}
    assert (await admin.delete("/v1/calendar/hours/early")).json()["agencies"] == {}
    await swept(admin, 3)
    assert [each.new_due_at for each in await recalculations(office, early)] == [datetime(2020, 12, 31, 10, tzinfo=UTC)]
    assert await recalculations(office, usual) == []


async def test_a_file_is_taken_as_a_whole_or_not_at_all(office: Office, admin: httpx.AsyncClient) -> None:
    file = format_days(day for day in load_calendar().days if day.on.year == 2026)
    as_file = {"Content-Type": "text/csv"}
    same = await admin.put("/v1/calendar/days", content=file.encode(), headers=as_file)
    assert (same.status_code, same.json()["revision"]) == (200, 1), same.text
    lines = file.splitlines()
    lines[4] = lines[4].replace(",OFF,", ",HALF,")
    lines[5] = lines[5].replace("2026-", "2026-13-")
    wrong = await admin.put("/v1/calendar/days", content="\n".join(lines).encode(), headers=as_file)
    assert wrong.status_code == 422
    assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/lines/5", "/lines/6"]
    torn = await admin.put(DAY.format("2026-09-04"), json=HOLIDAY | {"swap": "2026-08-22"})
    assert (torn.status_code, "already swapped" in torn.text) == (422, True)
    assert await revision(admin) == 1
    more = f"{file}2026-12-24,Thu,OFF,Nghỉ thêm,One more,verified,\n"
    assert (await admin.put("/v1/calendar/days", content=more.encode(), headers=as_file)).json()["revision"] == 2
    shown = (await admin.get("/v1/calendar", params={"year": 2026})).json()["days"]
    assert len(shown) == len(lines)
    assert len((await admin.get("/v1/calendar")).json()["days"]) == len(load_calendar().days) + 1


async def test_open_cases_are_counted_again_and_the_old_promise_stays_in_the_history(
    office: Office, admin: httpx.AsyncClient
) -> None:
    moved, extended, later, ended = await accepted(office, count=4)
    (past,) = await accepted(office, PAST)
    (untouched,) = await accepted(office, at=datetime(2021, 3, 1, 1, tzinfo=UTC))
    async with office.client(Role.IMPORTER, None) as http:
        clock = {"mode": "historical", "at": "2020-12-21T09:00:00+07:00"}
        assert (await http.put(f"/v1/agencies/{PAST}/clock", json=clock)).status_code == 200
        extension = {"type": "extend", "new_due_at": "2021-01-15T17:00:00+07:00", "reason": "verification", "apology": "issued"}
        replayed = {"origin": "replay", "occurred_at": "2020-12-18T09:00:00+07:00"}
        for case_id, command in (
            (extended, extension),
            (later, {"type": "stop", "stop_kind": "suspended", "reason": "force_majeure"}),
            (ended, {"type": "resolve", "outcome": "granted"}),
        ):
            answer = await http.post(f"/v1/cases/{case_id}/commands", json=command | replayed)
            assert answer.status_code == 200, answer.text
    assert (await admin.put(DAY.format("2020-12-24"), json=HOLIDAY)).status_code == 200
    sweep = await swept(admin, 2)
    assert (sweep["cases"], sweep["moved"]) == (5, 4)
    assert await due(office, moved) == await due(office, later) == (date(2021, 1, 4), date(2021, 1, 11))
    assert await due(office, past) == (date(2021, 1, 4), date(2021, 1, 11))
    assert await due(office, extended) == (date(2021, 1, 15), date(2021, 1, 11))
    assert await recalculations(office, ended) == await recalculations(office, untouched) == []
    (event,) = await recalculations(office, moved)
    assert (event.reason, event.old_due_at) == ("calendar_changed", datetime(2020, 12, 31, 10, tzinfo=UTC))
    assert event.old_statutory_due_at == datetime(2021, 1, 8, 10, tzinfo=UTC)
    (stated,) = [fact for fact in await office.facts(past, 2) if fact[0].type == event_type()]
    assert stated[0].origin is Origin.REPLAY
    assert stated[0].occurred_at == datetime(2020, 12, 21, 2, tzinfo=UTC)


def event_type() -> str:
    return DueDateRecalculated.type


async def test_a_decision_under_way_comes_before_the_change_and_a_later_one_after_it(
    office: Office, admin: httpx.AsyncClient
) -> None:
    store = office.app.state.runtime.store
    day = CalendarDay(date(2026, 12, 24), DayKind.OFF, "Nghỉ", "Off", DayStatus.VERIFIED)
    order: list[str] = []

    async def decide(name: str, until: asyncio.Event | None) -> int:
        async with store.open(()) as work:
            number = (await rules_in_force(work.tx, RULES)).revision
            order.append(f"{name} at {number}")
            if until is not None:
                await until.wait()
            return number

    async def change() -> None:
        order.append(f"changed to {(await change_calendar(store, lambda almanac: almanac.with_day(day))).revision}")

    async def waiters() -> int:
        query = "select 1 from pg_locks where relation = 'calendar_state'::regclass and not granted"
        return len(await office.query(query))

    free = asyncio.Event()
    early = asyncio.create_task(decide("early", free))
    await eventually("the early one decides", _says(lambda: order == ["early at 1"]))
    changing = asyncio.create_task(change())
    await eventually("the change waits", _equals(waiters, 1))
    late = asyncio.create_task(decide("late", None))
    await eventually("who comes later waits behind it", _equals(waiters, 2))
    free.set()
    assert (await early, await late) == (1, 2)
    await changing
    assert order[0] == "early at 1"
    assert set(order[1:]) == {"changed to 2", "late at 2"}


def _says(check: Any) -> Any:
    async def look() -> bool:
        return bool(check())

    return look


def _equals(count: Any, expected: int) -> Any:
    async def look() -> bool:
        return bool(await count() == expected)

    return look


async def test_counting_again_goes_on_where_it_was_left_and_states_each_fact_once(
    office: Office, admin: httpx.AsyncClient
) -> None:
    store = office.app.state.runtime.store
    cases = await accepted(office, count=25)
    async with store.database.transaction() as tx:
        while not await repository.lead_sweep(tx):
            await asyncio.sleep(0.05)
        await admin.put(DAY.format("2020-12-24"), json=HOLIDAY)
        assert await recalculate_batch(store, RULES, 10)
        (row,) = await office.query("select cases, moved, after, ended_at from calendar_sweep")
        assert tuple(row) == (10, 10, sorted(cases)[9], None)
        assert not await recalculate_cases(store, RULES)  # another replica leads
        assert any(await asyncio.gather(*(recalculate_batch(store, RULES, 10) for _ in range(3))))
        while await recalculate_batch(store, Rules(), 10):
            pass
        (row,) = await office.query("select cases, moved from calendar_sweep where ended_at is not null")
        assert tuple(row) == (25, 25)
        await admin.delete(DAY.format("2020-12-24"))
        assert await recalculate_batch(store, RULES, 10)
        await admin.put(DAY.format("2020-12-25"), json=HOLIDAY)
        while await recalculate_batch(store, RULES, 10):
            pass
    for case_id in cases:
        assert await due(office, case_id) == (date(2021, 1, 4), date(2021, 1, 11))
    told = {case_id: await recalculations(office, case_id) for case_id in cases}
    assert [len(told[case_id]) for case_id in sorted(cases)] == [3] * 10 + [1] * 15
    assert await office.query("select 1 from parked") == []


async def test_a_command_that_was_on_its_way_is_not_out_of_order_after_it(office: Office, admin: httpx.AsyncClient) -> None:
    case_id, today = uuid4(), local_date(datetime.now(UTC))
    await office.submit(case_id)
    await office.command(case_id, ask.Accept())
    (accepted_fact,) = await office.facts(case_id, 1)
    following = load_calendar().roll_forward(today + timedelta(days=2))
    assert (await admin.put(DAY.format(following), json=HOLIDAY)).status_code == 200
    await swept(admin, 2)
    await office.facts(case_id, 2)
    on_its_way = accepted_fact[0].occurred_at + timedelta(milliseconds=1)
    await office.command(case_id, ask.CompleteStep(step="examine"), on_its_way)
    facts = await office.facts(case_id, 3)
    assert [envelope.type for envelope, _ in facts][1:] == ["case.due_date_recalculated", "case.step_completed"]
