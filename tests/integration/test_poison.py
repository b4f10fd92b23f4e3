"""Poison of every kind on the topics of a running service, and what an administrator sees and does about it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts import commands as ask
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseSubmitted
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS, CASE_PRIVATE, Topic
from shared.contracts.words import Channel, Kind, Origin
from shared.security.tokens import Role
from tests.support.office import AGENCY, SEED, Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

STEP = b'{"step":"examine"'
POISON: list[tuple[dict[str, Any], str, str]] = [
    ({"value": None}, "bad_body", "value: is null"),
    ({"value": b"{not json"}, "bad_body", "value: json_invalid"),
    ({"value": b"\xff\xff"}, "bad_body", "value: json_invalid"),
    ({"value": b"{}"}, "bad_body", "step: missing"),
    ({"value": STEP + b',"secret":1}'}, "bad_body", "secret: extra_forbidden"),
    ({"value": STEP + b',"step":"forward"}'}, "bad_body", "value: a name is given twice"),
    ({"value": STEP + b',"unit":NaN}'}, "bad_body", "unit: string_type"),
    ({"value": b"[" * 100_000}, "bad_body", "value: json_invalid"),
    ({"value": STEP + b" " * 1_000_000 + b"}"}, "bad_body", "value: is larger than 1000000 bytes"),
    ({"ce_type": None}, "bad_header", "ce_type: is missing"),
    ({"ce_type": b"\xff"}, "bad_header", "ce_type: must be UTF-8"),
    ({"ce_id": None}, "bad_header", "ce_id: is missing"),
    ({"ce_id": [b"a", b"b"]}, "bad_header", "ce_id: is given twice"),
    ({"ce_source": b"\xc3\x28"}, "bad_header", "ce_source: must be UTF-8"),
    ({"ce_time": b"yesterday"}, "bad_header", "ce_time: must be a time"),
    ({"ce_subject": b"somebody"}, "bad_header", "ce_subject: must be a UUID"),
    ({"ce_type": b"dance", "ce_agency": None}, "bad_header", "ce_agency: is missing"),
]


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path_factory.mktemp("office")) as made:
        yield made


async def produce(office: Office, topic: Topic, envelope: Envelope, plain: bytes, **changes: Any) -> None:
    """A record with some of its headers changed: None removes one, a list gives it more than once."""
    value = changes.pop("value", plain)
    headers = dict(envelope.to_headers()) | changes
    pairs = [(name, each) for name, found in headers.items() for each in (found if isinstance(found, list) else [found])]
    await office.producer.send_and_wait(
        f"{office.settings.topic_prefix}{topic.name}",
        value,
        key=envelope.subject.encode(),
        headers=[(name, each) for name, each in pairs if each is not None],
    )


def complete(case_id: UUID) -> Envelope:
    now = datetime.now(UTC)
    return Envelope(str(uuid4()), "complete_step", "/stranger", str(case_id), AGENCY, now, now, Origin.LIVE)


async def submitted(office: Office, case_id: UUID, within: float = 30.0) -> UUID:
    async def there() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and status = 1", case_id))

    await eventually("the case is there", there, within=within)
    return case_id


async def new_case(office: Office) -> UUID:
    case_id = uuid4()
    await office.submit(case_id)
    return await submitted(office, case_id)


async def letters(office: Office, **params: Any) -> list[dict[str, Any]]:
    async with office.client(Role.ADMIN, None) as http:
        answer = await http.get("/v1/dead-letters", params={"limit": 500, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.parametrize(("changes", "reason", "detail"), POISON)
async def test_a_bad_command_is_parked_with_its_reason_and_the_next_one_runs_within_two_seconds(
    office: Office, changes: dict[str, Any], reason: str, detail: str
) -> None:
    case_id = await new_case(office)
    before = {each["id"] for each in await letters(office)}
    await produce(office, CASE_COMMANDS, complete(case_id), STEP + b"}", **dict(changes))
    await office.command(case_id, ask.Accept())

    async def accepted() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and status = 2 and parked = 0", case_id))

    await eventually("the good command is carried out", accepted, within=2.0)
    (letter,) = [each for each in await letters(office) if each["id"] not in before]
    assert (letter["service"], letter["group"]) == (
        "processing",
        f"{office.settings.topic_prefix}motcua.processing.case-commands",
    )
    assert (letter["topic"], letter["reason"], letter["state"], letter["case_id"]) == ("case-commands", reason, "parked", None)
    assert detail in letter["detail"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ce_type": b"dance"}, "not_supported"),
        ({"ce_type": b"case.submitted", "value": None}, "not_supported"),
        ({"ce_type": "Nguyễn Văn A".encode(), "value": b"\xff"}, "not_supported"),
        ({"ce_agency": b"another-agency"}, "wrong_agency"),
    ],
)
async def test_a_command_that_nobody_knows_or_of_another_agency_is_answered(
    office: Office, changes: dict[str, Any], reason: str
) -> None:
    case_id = await new_case(office)
    envelope, before = complete(case_id), len(await letters(office))
    await produce(office, CASE_COMMANDS, envelope, STEP + b"}", **changes)
    ((stated, body),) = await office.facts(case_id, 1)
    assert stated.type == "case.command_rejected"
    assert f'"reason":"{reason}"' in body
    assert envelope.id in body
    assert "Nguyễn" not in body
    assert len(await letters(office)) == before


async def test_an_unknown_command_that_comes_before_its_case_is_answered_in_its_turn(office: Office) -> None:
    case_id, filed_at = uuid4(), datetime.now(UTC)
    await produce(office, CASE_COMMANDS, complete(case_id), b"?", ce_type=b"dance")
    await office.command(case_id, ask.Accept())

    async def waiting() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and waiting = 2", case_id))

    await eventually("both wait", waiting)
    await office.submit(case_id, filed_at)
    facts = await office.facts(case_id, 2)
    assert [envelope.type for envelope, _ in facts] == ["case.command_rejected", "case.accepted"]


async def test_an_event_of_an_unknown_type_is_skipped_and_counted(office: Office) -> None:
    async def skipped() -> float:
        async with office.client() as http:
            lines = (await http.get("/metrics")).text.splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if "records_total" in line and 'type="other"' in line and "skipped" in line
        )

    before, case_id, parked = await skipped(), uuid4(), len(await letters(office))
    await produce(office, CASE_EVENTS, complete(case_id), b"?", ce_type=b"case.danced", ce_id=b"\xff")
    await office.submit(case_id)
    await submitted(office, case_id)
    assert await skipped() == before + 1
    assert len(await letters(office)) == parked


async def poisoned(office: Office) -> tuple[UUID, str]:
    """A case whose submission cannot be read, with a good copy of it behind; the id of the first dead letter."""
    case_id, now = uuid4(), datetime.now(UTC)
    event = CaseSubmitted(agency=AGENCY, kind=Kind.DOSSIER, procedure=SEED, channel=Channel.ONLINE, filed_at=now)
    envelope = Envelope(str(uuid4()), event.type, "/intake", str(case_id), AGENCY, now, now, Origin.LIVE, 1)
    await produce(office, CASE_EVENTS, envelope, event.model_dump_json().encode(), ce_agency=b"another-agency")
    await produce(office, CASE_EVENTS, envelope, event.model_dump_json().encode())

    async def both() -> list[dict[str, Any]]:
        found = await letters(office, case_id=str(case_id))
        return found if len(found) == 2 else []

    first, second = await eventually("both are parked", both)
    assert (first["reason"], second["reason"]) == ("bad_header", "behind")
    assert first["detail"] == "ce_agency: must be the agency of the body"
    assert (first["offset"] < second["offset"], first["partition"]) == (True, second["partition"])
    assert first["size"] == len(event.model_dump_json())
    return case_id, first["id"]


async def test_an_administrator_shows_replays_and_discards_over_http(office: Office) -> None:
    case_id, letter = await poisoned(office)
    async with office.client(Role.ADMIN, None) as http:
        shown = (await http.get(f"/v1/dead-letters/{letter}")).json()
        assert ["ce_agency", "another-agency"] in shown["headers"]
        assert '"kind":"dossier"' in shown["value"]
        replayed = (await http.post("/v1/dead-letters/replay", json={"id": letter})).json()
        assert (replayed["replayed"], replayed["stuck"][0]["id"], replayed["stuck"][0]["behind"]) == (0, letter, 1)
        discarded = await http.post(f"/v1/dead-letters/{letter}/discard", json={"reason": "wrong_agency"})
        assert discarded.json() == {"replayed": 0, "skipped": 1, "stuck": [], "more": False, "next": None}
        again = await http.post(f"/v1/dead-letters/{letter}/discard", json={"reason": "wrong_agency"})
        assert (again.status_code, again.json()["skipped"]) == (200, 0)
        refused = await http.post("/v1/dead-letters/replay", json={"id": letter})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:motcua:problem:settled")
    (first, second) = await letters(office, case_id=str(case_id), state="discarded") + await letters(
        office, case_id=str(case_id), state="replayed"
    )
    assert (first["settled_reason"], first["settled_by"]) == ("wrong_agency", "test-admin")
    assert second["settled_at"] is not None


async def test_whoever_is_no_administrator_of_the_city_gets_nothing_and_bad_requests_are_told_so(office: Office) -> None:
    _, letter = await poisoned(office)
    for role, agency in ((Role.OFFICER, AGENCY), (Role.AUDITOR, None), (Role.ADMIN, AGENCY)):
        async with office.client(role, agency) as http:
            codes = [
                (await http.get("/v1/dead-letters")).status_code,
                (await http.get(f"/v1/dead-letters/{letter}")).status_code,
                (await http.post("/v1/dead-letters/replay", json={"all": True})).status_code,
                (await http.post(f"/v1/dead-letters/{letter}/discard", json={"reason": "x"})).status_code,
            ]
        assert codes == [403] * 4
    async with office.client(Role.ADMIN, None) as http:
        for body in ({}, {"id": letter, "all": True}, {"id": "x"}, {"all": "yes please"}, {"cursor": letter}, {"more": 1}):
            assert (await http.post("/v1/dead-letters/replay", json=body)).status_code == 422, body
        free_text = await http.post(f"/v1/dead-letters/{letter}/discard", json={"reason": "Ông Nguyễn Văn A gọi"})
        assert free_text.status_code == 422
        assert "Nguyễn" not in free_text.text
        for path in (f"/v1/dead-letters/{uuid4()}", "/v1/dead-letters/x"):
            assert (await http.get(path)).status_code in {404, 422}
        assert (await http.post("/v1/dead-letters/replay", json={"id": str(uuid4())})).status_code == 404
        assert (await http.get("/v1/dead-letters", params={"state": "lost"})).status_code == 422


async def test_pages_hold_every_dead_letter_once(office: Office) -> None:
    await poisoned(office)
    everything, cursor, pages = [], None, 0
    async with office.client(Role.ADMIN, None) as http:
        while pages == 0 or cursor is not None:
            params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
            page = (await http.get("/v1/dead-letters", params=params)).json()
            everything += [each["id"] for each in page["items"]]
            cursor, pages = page["next"], pages + 1
    assert everything == [each["id"] for each in await letters(office)]
    assert len(set(everything)) == len(everything)


async def test_nothing_of_a_private_record_is_shown(office: Office) -> None:
    letter, secret = uuid4(), b"0912 345 678"
    await office.query(
        "insert into parked (id, consumer_group, topic, partition, position, headers, payload, type, reason, detail) "
        "values ($1, 'gone', $2, 0, 0, $3, $4, 'private.contact', 'handler_error', 'CipherError')",
        letter, CASE_PRIVATE.name, b"\x91\x92\xaacontent-ty\xc4\x0c" + secret, secret,
    )  # fmt: skip
    async with office.client(Role.ADMIN, None) as http:
        answer = await http.get(f"/v1/dead-letters/{letter}")
        assert answer.status_code == 200
        assert secret.decode() not in answer.text
        assert (answer.json()["value"], answer.json()["headers"], answer.json()["size"]) == (None, None, len(secret))
        nobody = await http.post("/v1/dead-letters/replay", json={"id": str(letter)})
        assert (nobody.status_code, nobody.json()["type"]) == (409, "urn:motcua:problem:no-consumer")
        assert (await http.post("/v1/dead-letters/replay", json={"all": True})).status_code == 200
        assert (await http.post(f"/v1/dead-letters/{letter}/discard", json={"reason": "unreadable"})).status_code == 200
    assert [row[0] for row in await office.query("select payload from parked where id = $1", letter)] == [None]
