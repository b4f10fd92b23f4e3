"""The webhook on real Kafka and PostgreSQL, over real HTTP: what is answered is committed, and nothing is taken twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.contracts.commands import Link, Rate, RecordContact, Reopen
from shared.contracts.events import CaseAccepted, CaseSubmitted
from shared.contracts.private import CONTACT, NOTE, Contact, Note
from shared.contracts.words import Channel, ContactVia, Kind
from tests.support.intake import AGENCY
from tests.support.servers import Servers
from tests.support.switchboard import SOURCE, Switchboard, event, keys_of, open_board, written
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def board(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Switchboard]:
    async with open_board(servers, tmp_path_factory.mktemp("board")) as opened:
        yield opened


async def test_a_ticket_is_a_feedback_case_before_it_is_answered(board: Switchboard) -> None:
    ticket = event(**{"class": "conduct", "text": "Cán bộ thái độ không đúng mực"})
    (result,) = await board.take(ticket)
    case_id = result["case_id"]
    assert result == {"event_id": ticket["id"], "outcome": "accepted", "case_id": case_id}
    assert await board.office.count("submissions", {case_id}) == 1

    fact, *private = sorted(await board.office.records(case_id, 3), key=lambda record: record.key)
    submitted = CaseSubmitted.model_validate_json(fact.value)
    assert (submitted.kind, submitted.procedure, submitted.channel) == (Kind.FEEDBACK, "feedback.conduct", Channel.HOTLINE)
    assert submitted.filed_at.isoformat() == ticket["at"]
    keys, sealed = keys_of(board.office), {record.key.decode().partition("/")[2]: record.value for record in private}
    identity = (await board.query("select case_id from submissions where case_id::text = $1", case_id))[0][0]
    assert Contact.model_validate_json(keys.open(sealed[CONTACT], identity, CONTACT)).phone == ticket["phone"]
    assert Note.model_validate_json(keys.open(sealed[NOTE], identity, NOTE)).text == ticket["text"]


async def test_twenty_copies_at_once_and_one_later_have_one_effect(board: Switchboard) -> None:
    ticket = event()
    answers = await asyncio.gather(*[board.post(ticket) for _ in range(20)])

    results = [answer.json()["results"][0] for answer in answers]
    assert Counter(each["outcome"] for each in results) == {"accepted": 1, "duplicate": 19}
    assert len({each["case_id"] for each in results}) == 1
    assert await board.take(ticket) == [results[0] | {"outcome": "duplicate"}]
    for _ in range(2):  # another event that opens the same ticket; the second time its key is forgotten, as after 30 days
        (known,) = await board.take(ticket | {"id": uuid4().hex})
        assert (known["outcome"], known["case_id"], known["note"]) == ("duplicate", results[0]["case_id"], "ticket_known")
        await board.query("delete from idempotency where key = $1", ticket["ticket"])
    assert len(await board.query("select from tickets where ticket_id = $1", ticket["ticket"])) == 1


async def test_one_payload_may_hold_many_events_each_with_its_own_fate(board: Switchboard) -> None:
    ticket = event()
    several = [ticket, ticket, event("noise"), {"id": "only-an-id"}, event("call", call="c-1", state="ringing")]

    results = await board.take({"events": several})

    assert [each["outcome"] for each in results] == ["accepted", "duplicate", "ignored", "refused", "accepted"]
    assert results[1]["case_id"] == results[0]["case_id"]
    assert {(each["field"], each["rule"]) for each in results[3]["faults"]} == {("at", "missing"), ("kind", "missing")}


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"webhook-signature": None}, 401, "signature_missing"),
        ({"webhook-signature": "v1,"}, 400, "signature_malformed"),
        ({"webhook-signature": "v2,AAAA"}, 400, "signature_malformed"),
        ({"webhook-signature": "v1,not*base64"}, 400, "signature_malformed"),
        ({"webhook-signature": "v1," + "A" * 43 + "="}, 401, "signature_wrong"),
        ({"webhook-id": "another"}, 401, "signature_wrong"),
        ({"webhook-id": None}, 401, "message_id_missing"),
        ({"webhook-timestamp": None}, 401, "timestamp_missing"),
        ({"webhook-timestamp": "yesterday"}, 400, "timestamp_malformed"),
        ({"webhook-timestamp": "-1"}, 400, "timestamp_malformed"),
        ({"webhook-timestamp": "1"}, 401, "timestamp_too_old"),
        ({"webhook-timestamp": "99999999999"}, 401, "timestamp_in_future"),
    ],
)
async def test_who_does_not_prove_to_be_the_source_is_told_why(
    board: Switchboard, change: dict[str, str | None], status: int, reason: str
) -> None:
    body = written(event())
    headers = {name: value for name, value in (board.signed(body) | change).items() if value is not None}

    answer = await board.http.post(f"/v1/hotline/{SOURCE}", content=body, headers=headers)

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["type"] == "urn:motcua:problem:bad-signature"
    assert await board.query("select from hotline_events where event_id = $1", json.loads(body)["id"]) == []


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b'{"id": "a", "id": "b"}', 400, "repeated_name"),
        (b'{"id": NaN}', 400, "not_a_number"),
        (b"[" * 40 + b"]" * 40, 400, "too_deep"),
        (b'"text"', 422, "not_an_object"),
        (b'{"id": "a"}', 422, "missing"),
        (b'{"id": "a\\u0000b", "kind": "noise", "at": "2026-01-01T00:00:00Z"}', 422, "not_text"),
        (b'{"id": "a", "kind": "?", "at": "2026-01-01T00:00:00Z"}', 422, "unknown_word"),
        (b'{"id": "a", "kind": "noise", "at": "soon"}', 422, "not_a_time"),
    ],
)
async def test_what_cannot_be_understood_is_refused_with_its_rule(
    board: Switchboard, body: bytes, status: int, rule: str
) -> None:
    answer = await board.http.post(f"/v1/hotline/{SOURCE}", content=body, headers=board.signed(body))

    problem = answer.json()
    assert answer.status_code == status, answer.text
    assert rule in {problem.get("reason"), *(each["rule"] for each in problem.get("errors", ()))}


async def test_an_unknown_source_one_without_a_secret_and_too_large_a_body_are_not_taken(board: Switchboard) -> None:
    body = written(event())
    for source in ("nobody", "stringee"):  # the packaged one has a mapping, and no secret here
        answer = await board.http.post(f"/v1/hotline/{source}", content=body, headers=board.signed(body))
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:motcua:problem:unknown-source")
    large = written({"text": "x" * 263_000})
    assert (await board.http.post(f"/v1/hotline/{SOURCE}", content=large, headers=board.signed(large))).status_code == 413


async def test_a_dry_run_says_what_would_happen_and_keeps_nothing(board: Switchboard) -> None:
    before = await board.query("select count(*) from hotline_events union all select count(*) from cases")
    ticket, reopened = event(), event("reopened", ticket="never-seen")
    sample = event(at=(datetime.now(UTC) - timedelta(days=400)).isoformat())

    answer = await board.post({"events": [ticket, reopened, sample]}, dry_run="1")

    assert answer.status_code == 200, answer.text
    would = answer.json()["results"]
    assert [each["outcome"] for each in would] == ["accepted", "refused", "accepted"]
    assert "case_id" not in would[0]
    assert await board.query("select count(*) from hotline_events union all select count(*) from cases") == before
    assert (await board.take(ticket))[0]["outcome"] == "accepted"
    late = await board.post(sample)
    assert (late.status_code, late.json()["errors"][0]["rule"]) == (422, "too_old")


async def test_a_ticket_is_reopened_and_rated_and_may_be_known_only_later(board: Switchboard) -> None:
    ticket = event()
    reopened, rated = event("reopened", ticket=ticket["ticket"]), event("rated", ticket=ticket["ticket"], score=4)
    refused = await board.post(reopened)
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "unknown_ticket")

    (opened,) = await board.take(ticket)
    results = await board.take({"events": [reopened, rated]})

    case_id = opened["case_id"]
    assert [(each["outcome"], each["case_id"]) for each in results] == [("accepted", case_id)] * 2
    assert await board.told(Reopen, case_id, 1) == [Reopen(reason="reopened_by_citizen")]
    assert await board.told(Rate, case_id, 1) == [Rate(score=4)]


async def accept(board: Switchboard, case_id: str) -> str:
    """Let processing say that it accepted a case; the code that the case has from now on."""
    code = f"G09.20-20261126-{uuid4().int % 10**7:07}"
    fact = CaseAccepted(
        agency=AGENCY, kind=Kind.FEEDBACK, code=code, procedure="feedback.other", field="feedback", channel=Channel.HOTLINE
    )  # fmt: skip
    await board.office.tell(case_id, fact, 1)

    async def look() -> bool:
        return bool(await board.query("select from cases where code = $1", code))

    await eventually("the code is known at intake", look)
    return code


async def test_tickets_of_one_matter_are_tied_both_ways(board: Switchboard) -> None:
    place = f"junction-{uuid4().hex}"
    first, second = [(await board.take(event(place=place)))[0]["case_id"] for _ in range(2)]
    both = [each["case_id"] for each in await board.take({"events": [event(place=place), event(place=place)]})]

    links = await board.told(Link, first, 3)
    assert {str(each.other_case_id) for each in links} == {second, *both}
    for each in (second, *both):
        (link,) = await board.told(Link, each, 1)
        assert (str(link.other_case_id), link.reason) == (first, "same_matter")


async def test_a_dossier_hears_that_its_citizen_asked(board: Switchboard) -> None:
    dossier = (await board.take(event()))[0]["case_id"]
    code = await accept(board, dossier)

    (told,) = await board.take(event(code=code))
    named = await board.take({"events": [event("dossier", code=code), event("dossier", code=code, call="c-9")]})
    (unknown,) = await board.take(event(code="G09.20-20261126-9999999"))

    contacts = await board.told(RecordContact, dossier, 3)
    assert Counter((each.via, each.other_case_id and str(each.other_case_id)) for each in contacts) == {
        (ContactVia.TICKET, told["case_id"]): 1, (ContactVia.CALL, None): 2,
    }  # fmt: skip
    assert {each.source for each in contacts} == {SOURCE}
    (link,) = await board.told(Link, told["case_id"], 1)
    assert (str(link.other_case_id), link.reason) == (dossier, "names_dossier")
    assert [each["outcome"] for each in named] == ["accepted", "accepted"]
    assert (unknown["outcome"], unknown["note"]) == ("accepted", "dossier_unknown")


async def test_no_secret_of_a_citizen_is_in_the_tables_of_the_doors(board: Switchboard) -> None:
    ticket = event(text=f"nội dung {uuid4().hex}", place=f"nơi {uuid4().hex}")
    await board.take(ticket)
    for table in ("hotline_events", "tickets"):
        text = json.dumps([tuple(row) for row in await board.query(f"select * from {table}")], default=str, ensure_ascii=False)
        assert not [word for word in (ticket["text"], ticket["place"], ticket["name"], ticket["phone"]) if word in text]
