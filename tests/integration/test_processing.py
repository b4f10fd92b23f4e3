"""Processing on real Kafka and PostgreSQL: records in, facts out, officers over HTTP."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.processing.handlers.settling import Rules
from services.processing.jobs import reject_all_stale
from shared.contracts import commands as ask
from shared.contracts.envelope import Envelope
from shared.contracts.words import Channel, Origin, Outcome
from shared.security.tokens import Role
from tests.support.office import AGENCY, Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture
async def case_id(office: Office) -> UUID:
    """A case that was just submitted."""
    made = uuid4()
    await office.submit(made)

    async def there() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and status = 1", made))

    await eventually("the case is there", there)
    return made


def types(facts: list[tuple[Envelope, str]]) -> list[str]:
    return [envelope.type.removeprefix("case.") for envelope, _ in facts]


async def test_a_case_goes_its_way_by_commands_from_kafka(office: Office) -> None:
    case_id, filed = uuid4(), datetime(2020, 12, 17, 1, tzinfo=UTC)
    await office.submit(case_id, filed, Origin.REPLAY)
    way = (
        ask.Accept(unit="one-stop"),
        ask.CompleteStep(step="examine", unit="labour"),
        ask.Forward(to_unit="director"),
        ask.Resolve(outcome=Outcome.GRANTED),
        ask.Return(channel=Channel.POST),
    )
    times = [filed + timedelta(hours=hour) for hour in range(len(way))]
    ids = [await office.command(case_id, command, at, Origin.REPLAY) for command, at in zip(way, times, strict=True)]
    facts = await office.facts(case_id, 5)
    assert types(facts) == ["accepted", "step_completed", "forwarded", "resolved", "returned"]
    assert [envelope.sequence for envelope, _ in facts] == [1, 2, 3, 4, 5]
    assert [envelope.causation_id for envelope, _ in facts] == ids
    assert {envelope.origin for envelope, _ in facts} == {Origin.REPLAY}
    assert '"code":"000.00.07.H24-201217-' in facts[0][1]
    assert '"due_at":"2020-12-31T17:00:00+07:00"' in facts[0][1]
    async with office.client() as http:
        seen = (await http.get(f"/v1/cases/{case_id}")).json()
        assert (seen["status"], seen["unit"], seen["return_channel"], seen["outcome"]) == (10, "director", "post", "granted")
        history = (await http.get(f"/v1/cases/{case_id}/history")).json()
        assert [item["type"] for item in history["items"]] == ["case.submitted", *(envelope.type for envelope, _ in facts)]
        assert history["items"][1]["data"]["code"] == seen["code"]


async def test_commands_that_come_before_their_case_run_when_it_comes_in_order(office: Office) -> None:
    case_id, filed = uuid4(), datetime.now(UTC) - timedelta(minutes=1)
    await office.command(case_id, ask.Accept())
    await office.command(case_id, ask.Resolve(outcome=Outcome.GRANTED))

    async def waiting() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and waiting = 2", case_id))

    await eventually("both commands wait", waiting)
    async with office.client() as http:
        assert (await http.get(f"/v1/cases/{case_id}")).status_code == 404
    await office.submit(case_id, filed)
    assert types(await office.facts(case_id, 2)) == ["accepted", "resolved"]
    assert await office.query("select 1 from waiting where case_id = $1", case_id) == []
    assert await office.query("select 1 from cases where case_id = $1 and waiting = 0", case_id)


async def test_a_command_whose_case_never_comes_is_rejected_and_the_case_may_still_come(office: Office) -> None:
    case_id = uuid4()
    command_id = await office.command(case_id, ask.Accept(), agency="Not A Slug")

    async def waiting() -> bool:
        return bool(await office.query("select 1 from waiting where case_id = $1", case_id))

    await eventually("the command waits", waiting)
    store, later = office.app.state.runtime.store, datetime.now(UTC) + timedelta(minutes=1)
    assert await reject_all_stale(store, Rules(), datetime.now(UTC) - timedelta(minutes=1)) == 0
    assert await reject_all_stale(store, Rules(), later) >= 1
    (fact,) = await office.facts(case_id, 1)
    assert (fact[0].type, fact[0].agency, fact[0].causation_id) == ("case.command_rejected", "unknown", command_id)
    assert '"reason":"unknown_case"' in fact[1]
    await office.submit(case_id)
    await office.command(case_id, ask.Accept())
    assert types(await office.facts(case_id, 2)) == ["command_rejected", "accepted"]


async def test_an_illegal_command_is_answered_by_a_rejection_and_is_no_poison(office: Office, case_id: UUID) -> None:
    command_id = await office.command(case_id, ask.Return(channel=Channel.POST))
    await office.command(case_id, ask.Accept(), agency="other")
    await office.command(case_id, ask.Extend(new_due_at=datetime.now(UTC), reason="late", apology="sorry"))
    await office.command(case_id, ask.Accept())
    facts = await office.facts(case_id, 4)
    assert types(facts) == ["command_rejected", "command_rejected", "command_rejected", "accepted"]
    assert f'"command_id":"{command_id}"' in facts[0][1]
    reasons = [body.split('"reason":"')[1].split('"')[0] for _, body in facts[:3]]
    assert reasons == ["illegal_transition", "wrong_agency", "illegal_transition"]
    assert '"detail":"from 1"' in facts[0][1]
    assert await office.query("select 1 from parked") == []


async def test_a_command_that_is_delivered_twice_is_carried_out_once(office: Office, case_id: UUID) -> None:
    for _ in range(2):
        await office.command(case_id, ask.Accept(), id="the-same")
    await office.command(case_id, ask.Resolve(outcome=Outcome.GRANTED))
    assert types(await office.facts(case_id, 2)) == ["accepted", "resolved"]


async def test_codes_of_a_day_are_consecutive_and_unique_whoever_accepts(office: Office) -> None:
    cases, filed = [uuid4() for _ in range(40)], datetime(2021, 3, 1, 1, tzinfo=UTC)
    for each in cases:
        await office.submit(each, filed, Origin.REPLAY)

    async def there() -> bool:
        return len(await office.query("select 1 from cases where status = 1 and case_id = any($1::uuid[])", cases)) == len(cases)

    await eventually("all are there", there)
    body = {"type": "accept", "origin": "replay", "occurred_at": (filed + timedelta(hours=1)).isoformat()}
    async with office.client(Role.IMPORTER) as http:
        answers = asyncio.gather(*(http.post(f"/v1/cases/{each}/commands", json=body) for each in cases[:20]))
        for each in cases[20:]:
            await office.command(each, ask.Accept(), filed + timedelta(hours=1), Origin.REPLAY)
        assert {answer.status_code for answer in await answers} == {200}
    for each in cases:
        await office.facts(each, 1)
    rows = await office.query("select code from cases where case_id = any($1::uuid[])", cases)
    serials = sorted(int(row[0].rpartition("-")[2]) for row in rows)
    assert serials == list(range(1, 41))


async def test_an_officer_carries_a_case_over_http(office: Office, case_id: UUID) -> None:
    path = f"/v1/cases/{case_id}/commands"
    async with office.client() as http:
        accepted = await http.post(path, json={"type": "accept", "unit": "one-stop"})
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["status"] == 2
        assert accepted.json()["code"].startswith("000.00.07.H24-")
        assert [event["type"] for event in accepted.json()["events"]] == ["case.accepted"]
        again = await http.post(path, json={"type": "accept"})
        assert (again.status_code, again.json()["reason"], again.json()["detail"]) == (409, "illegal_transition", "from 2")
        assert again.headers["content-type"] == "application/problem+json"
        clock = (await http.get(f"/v1/cases/{case_id}/clock")).json()
        assert (clock["state"], clock["committed"], clock["statutory"]["count"]) == (
            "running",
            {"count": 10, "unit": "working_days"},
            15,
        )
    assert types(await office.facts(case_id, 1)) == ["accepted"]


async def test_the_same_key_is_answered_the_same_and_done_once(office: Office, case_id: UUID) -> None:
    path, key = f"/v1/cases/{case_id}/commands", {"Idempotency-Key": f"key-{case_id}"}
    async with office.client() as http:
        answers = await asyncio.gather(*(http.post(path, json={"type": "accept"}, headers=key) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        other = await http.post(path, json={"type": "refuse", "reason": "incomplete"}, headers=key)
        assert (other.status_code, other.json()["type"]) == (409, "urn:motcua:problem:key-reused")
        rejected = {"Idempotency-Key": f"no-{case_id}"}
        first = await http.post(path, json={"type": "return", "channel": "post"}, headers=rejected)
        await http.post(path, json={"type": "resolve", "outcome": "granted"})
        second = await http.post(path, json={"type": "return", "channel": "post"}, headers=rejected)
        assert first.status_code == second.status_code == 409
        assert first.json() == second.json()
    assert types(await office.facts(case_id, 2)) == ["accepted", "resolved"]


@pytest.mark.parametrize(
    ("role", "agency", "body", "expected"),
    [
        (Role.AUDITOR, AGENCY, {"type": "accept"}, 403),
        (Role.INTEGRATOR, AGENCY, {"type": "accept"}, 403),
        (Role.OFFICER, "other", {"type": "accept"}, 404),
        (Role.OFFICER, AGENCY, {"type": "accept", "occurred_at": "2020-12-17T08:00:00+07:00"}, 403),
        (Role.OFFICER, AGENCY, {"type": "accept", "origin": "import"}, 403),
        (Role.OFFICER, AGENCY, {"type": "accept", "origin": "replay"}, 403),
        (Role.IMPORTER, AGENCY, {"type": "accept", "origin": "replay", "occurred_at": "2020-12-17T08:00:00+07:00"}, 409),
        (Role.OFFICER, AGENCY, {"type": "accept", "occurred_at": "2999-12-17T08:00:00+07:00"}, 409),
        (Role.OFFICER, AGENCY, {"type": "accept", "unit": "no slug"}, 422),
    ],
)
async def test_rights_and_times_are_checked(
    office: Office, case_id: UUID, role: Role, agency: str, body: dict[str, Any], expected: int
) -> None:
    async with office.client(role, agency) as http:
        answer = await http.post(f"/v1/cases/{case_id}/commands", json=body)
    assert answer.status_code == expected, answer.text


async def test_nobody_without_a_token_gets_anything_and_unknown_cases_are_not_made(office: Office) -> None:
    unknown = uuid4()
    async with office.client() as http:
        assert (await http.post(f"/v1/cases/{unknown}/commands", json={"type": "accept"})).status_code == 404
        assert (await http.get(f"/v1/cases/{unknown}/history")).status_code == 404
        assert (await http.get("/v1/cases/not-an-id")).status_code == 422
        http.headers.pop("Authorization")
        for path in ("/v1/cases", f"/v1/cases/{unknown}", f"/v1/agencies/{AGENCY}/clock"):
            assert (await http.get(path)).status_code == 401
    assert await office.query("select 1 from cases where case_id = $1", unknown) == []


async def test_an_agencys_clock_is_stated_only_when_it_changes_and_decides_what_is_overdue(office: Office) -> None:
    agency, case_id, filed = f"a{secrets.token_hex(4)}", uuid4(), datetime(2020, 12, 1, 1, tzinfo=UTC)
    path, standing = f"/v1/agencies/{agency}/clock", {"mode": "historical", "at": "2020-12-15T17:00:00+07:00"}
    await office.submit(case_id, filed, Origin.REPLAY, agency)
    await office.command(case_id, ask.Accept(), filed, Origin.REPLAY, agency=agency)
    await office.facts(case_id, 1)
    async with office.client(Role.IMPORTER, agency) as importer, office.client(Role.OFFICER, agency) as officer:
        assert (await officer.get(path)).json()["mode"] == "live"
        assert len((await officer.get("/v1/cases?overdue=true")).json()["items"]) == 1
        assert (await officer.put(path, json=standing)).status_code == 403
        assert (await importer.put(path, json={"mode": "historical", "at": "2999-01-01T00:00:00Z"})).status_code == 422
        for _ in range(2):
            assert (await importer.put(path, json=standing)).status_code == 200
        assert (await officer.get("/v1/cases?overdue=true")).json()["items"] == []
        assert len((await officer.get("/v1/cases?overdue=false")).json()["items"]) == 1
        await importer.put(path, json={"mode": "historical", "at": "2020-12-16T00:00:00+07:00"})
        assert len((await officer.get("/v1/cases?overdue=true")).json()["items"]) == 1
        done = await officer.post(f"/v1/cases/{case_id}/commands", json={"type": "resolve", "outcome": "granted"})
        assert done.json()["events"][-1]["occurred_at"] == "2020-12-15T17:00:00Z"
        assert (await officer.get("/v1/cases?overdue=true")).json()["items"] == []

    async def set_twice() -> list[tuple[Envelope, str]]:
        await office.listen()
        found = [each for each in office.stated if each[0].type == "agency.clock_set" and each[0].agency == agency]
        return found if len(found) >= 2 else []

    clocks = await eventually("two changes are stated", set_twice)
    assert [envelope.sequence for envelope, _ in clocks] == [1, 2]
    assert (await office.facts(case_id, 2))[1][0].origin is Origin.REPLAY


async def test_lists_are_filtered_and_paged(office: Office) -> None:
    agency = f"a{secrets.token_hex(4)}"
    cases = sorted(uuid4() for _ in range(5))
    for each in cases:
        await office.submit(each, agency=agency)
    await office.command(cases[2], ask.Accept(unit="labour"), agency=agency)
    await office.facts(cases[2], 1)

    async def there() -> bool:
        return len(await office.query("select 1 from cases where agency = $1 and status is not null", agency)) == 5

    await eventually("all are there", there)
    async with office.client(agency=agency) as http:
        pages, cursor = [], None
        while True:
            page = (await http.get("/v1/cases", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
            pages.append([UUID(item["case_id"]) for item in page["items"]])
            cursor = page["next"]
            if cursor is None:
                break
        assert pages == [cases[:2], cases[2:4], cases[4:]]
        for query, expected in (
            ("status=2", 1), ("status=1", 4), ("unit=labour", 1), ("field=social-protection", 1), ("kind=task", 0),
            ("overdue=true", 0),
        ):  # fmt: skip
            assert len((await http.get(f"/v1/cases?{query}")).json()["items"]) == expected, query
        assert (await http.get("/v1/cases?agency=other")).status_code == 403
        wrong = await http.get("/v1/cases?status=11&kind=x&unit=%00&limit=0&cursor=1")
        assert wrong.status_code == 422
        assert len(wrong.json()["errors"]) == 5
        assert (await http.get(f"/v1/cases/{cases[0]}/history?cursor=x")).status_code == 422
        first = (await http.get(f"/v1/cases/{cases[2]}/history?limit=1")).json()
        rest = (await http.get(f"/v1/cases/{cases[2]}/history", params={"cursor": first["next"]})).json()
        assert [item["type"] for item in first["items"] + rest["items"]] == ["case.submitted", "case.accepted"]
    async with office.client(Role.ADMIN, None) as city:
        assert len((await city.get(f"/v1/cases?agency={agency}")).json()["items"]) == 5


async def test_the_service_documents_itself(office: Office) -> None:
    async with office.client() as http:
        document = (await http.get("/openapi.json")).json()
        body = document["paths"]["/v1/cases/{case_id}/commands"]["post"]["requestBody"]
        assert len(body["content"]["application/json"]["schema"]["oneOf"]) == 22
        assert (await http.get("/health/live")).status_code == 200
        assert "motcua_waiting_commands " in (await http.get("/metrics")).text
