"""What each channel says of a filing: its own facts, the way of return, who acts for whom, and what the event tells of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from services.intake.domain import precheck
from services.intake.domain.filing import Filer, refuse
from services.intake.domain.precheck import missing_of, pre_check
from services.intake.domain.stating import are_complete, check_documents, facts_of, submitted, version_of
from services.intake.domain.submission import CHANNEL_OF, FilingRules, NotValidError, Submission, SubmissionLine, read_submission
from shared.catalogue import load_catalogue
from shared.contracts.words import NATIONAL_CHANNELS, Channel, Lane, OnlineLevel

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
RULES = FilingRules(load_catalogue(), NOW)
SMALLEST = {"agency": "ldtbxh-haiphong", "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
HANDED = "2026-03-02T02:00:00Z"
FACTS: dict[str, dict[str, Any]] = {
    "counter": {"counter": "quay-3", "officer": "cb-017"},
    "online": {"online_level": "full", "portal_account": "vneid:0123"},
    "post": {"handed_over_at": HANDED, "postal_record": "BBGN-2026/17"},
}
LICENCE = "1.001865"
"""A procedure whose documents are known from the law."""
PAPERS = ["request-form", "premises-proof", "deposit-certificate", "representative-cv", "criminal-record", "qualification-proof"]


def read(**body: Any) -> Submission:
    return read_submission(Submission, json.dumps({**SMALLEST, **body}).encode(), RULES)


def faults(**body: Any) -> dict[str, str]:
    with pytest.raises(NotValidError) as caught:
        read(**body)
    return {fault.pointer: fault.rule for fault in caught.value.faults}


@pytest.mark.parametrize("channel", FACTS)
def test_a_channel_needs_none_of_its_facts_and_takes_all_of_them(channel: str) -> None:
    assert facts_of(read(channel=channel)) is None
    assert read(channel=channel, **FACTS[channel]).channel == channel


@pytest.mark.parametrize("channel", FACTS)
@pytest.mark.parametrize("other", FACTS)
def test_the_facts_of_another_channel_are_faults_each_of_them(channel: str, other: str) -> None:
    if channel != other:
        found = faults(channel=channel, **FACTS[other])
        assert set(found) == {f"/{name}" for name in FACTS[other]}
        assert all(rule == f"must not be given: it belongs to the channel {other}" for rule in found.values())


def test_every_channel_fact_has_its_channel() -> None:
    assert {name: str(CHANNEL_OF[name]) for name in CHANNEL_OF} == {name: each for each in FACTS for name in FACTS[each]}


def test_faults_of_channel_people_and_return_are_told_at_once() -> None:
    body: dict[str, Any] = {
        "channel": "online", "online_level": "most", "counter": "quay-3", "postal_record": "?", "note": "a\x00b",
        "applicant": {"id_number": "12345", "address": ""}, "representative": {"phone": "1"}, "return_channel": "post",
        "return_email": "khai@example.vn", "return_address": "",
    }  # fmt: skip
    assert set(faults(**body)) == {
        "/online_level", "/counter", "/postal_record", "/note", "/applicant/id_number", "/applicant/address",
        "/representative/name", "/representative/document", "/representative/phone", "/return_email", "/return_address",
    }  # fmt: skip


@pytest.mark.parametrize("alone", ["handed_over_at", "postal_record"])
def test_a_hand_over_has_a_record_and_a_time(alone: str) -> None:
    assert set(faults(channel="post", **{alone: FACTS["post"][alone]})) == {"/postal_record"}


def test_a_postal_dossier_is_filed_when_it_was_handed_over() -> None:
    filed = read(channel="post", **FACTS["post"])
    assert filed.moment == datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    assert read(channel="post", filed_at="2026-03-02T09:00:00+07:00", **FACTS["post"]).moment == filed.moment
    assert set(faults(channel="post", filed_at="2026-03-02T02:00:01Z", **FACTS["post"])) == {"/handed_over_at"}
    assert read(filed_at=HANDED).moment == filed.moment
    assert read().moment is None


def test_a_hand_over_of_some_days_ago_may_be_entered_by_an_officer_and_an_older_one_by_an_importer() -> None:
    officer, importer = (Filer("x", role, SMALLEST["agency"]) for role in ("officer", "importer"))
    for days, allowed in ((7, True), (8, False)):
        filed = read(channel="post", postal_record="B-1", handed_over_at=(NOW - timedelta(days=days)).isoformat())
        assert (refuse(officer, filed, NOW) is None) is allowed
        assert refuse(importer, filed, NOW) is None


def test_a_hand_over_lies_not_in_the_future() -> None:
    late = (NOW + timedelta(minutes=6)).isoformat()
    assert faults(channel="post", postal_record="B-1", handed_over_at=late) == {"/handed_over_at": "must not lie in the future"}


RETURNS = [
    ("post", {}, False),
    ("post", {"applicant": {"email": "khai@example.vn"}}, False),
    ("post", {"return_address": "1 Lạch Tray, Hải Phòng"}, True),
    ("post", {"applicant": {"address": "1 Lạch Tray, Hải Phòng"}}, True),
    ("online", {}, False),
    ("online", {"applicant": {"phone": "0912345678"}}, False),
    ("online", {"return_email": "khai@example.vn"}, True),
    ("online", {"return_account": "vneid:0123"}, True),
    ("online", {"applicant": {"email": "khai@example.vn"}}, True),
    ("online", {"channel": "online", "portal_account": "vneid:0123"}, True),
    ("counter", {}, True),
]


@pytest.mark.parametrize(("way", "body", "enough"), RETURNS)
def test_the_pre_check_says_that_a_way_of_return_needs_a_place(way: str, body: dict[str, Any], enough: bool) -> None:
    filed = read(return_channel=way, **body)
    assert filed.return_channel == way, "a filing is valid without it"
    needs = pre_check(filed, RULES).return_needs
    assert needs is None if enough else needs


def test_a_log_of_another_system_says_how_results_were_returned_and_not_where() -> None:
    assert pre_check(read(return_channel="post", origin="import", filed_at=HANDED), RULES).return_needs is None


def test_a_place_needs_its_way_of_return() -> None:
    assert set(faults(return_address="1 Lạch Tray")) == {"/return_address"}
    assert set(faults(return_channel="counter", return_account="vneid:0123")) == {"/return_account"}


@pytest.mark.parametrize("number", ["031090001234", "012345678"])
def test_an_id_number_has_twelve_digits_or_nine(number: str) -> None:
    assert read(applicant={"id_number": number})


@pytest.mark.parametrize("number", ["0310900012", "03109000123a", "٠١٢٣٤٥٦٧٨", "012345678\n"])
def test_any_other_id_number_is_a_fault(number: str) -> None:
    assert set(faults(applicant={"id_number": number})) == {"/applicant/id_number"}


def test_a_note_has_lines_and_at_most_4000_letters() -> None:
    assert read(note="Dòng một\n\tdòng hai" + "ă" * 3980)
    assert set(faults(note="x" * 4001)) == {"/note"}


def test_the_new_fields_stand_behind_the_old_ones_so_that_old_digests_hold() -> None:
    body = {
        "applicant": {"name": "Nguyễn Thị Minh Khai", "phone": "0912345678", "id_number": "012345678"},
        "documents": ["a"], "return_channel": "counter", "counter": "quay-3",
    }  # fmt: skip
    assert read(**body).canonical().decode() == (
        '{"agency":"ldtbxh-haiphong","kind":"dossier","procedure":"1.001806","channel":"counter",'
        '"applicant":{"name":"Nguyễn Thị Minh Khai","phone":"0912345678","id_number":"012345678"},'
        '"documents":["a"],"return_channel":"counter","counter":"quay-3"}'
    )


def test_the_event_tells_the_channel_and_nobody() -> None:
    person = {"representative": {"name": "Trần Văn A", "document": "GUQ-1"}, "note": "gọi lại"}
    event = submitted(read(channel="online", **FACTS["online"], **person), NOW, Lane.BULK, complete=True)
    assert (event.national_channel, event.online_level, event.authorised) == (2, OnlineLevel.FULL, True)
    assert (event.documents_complete, event.lane, event.counter, event.postal_record) == (True, Lane.BULK, None, None)
    told = event.model_dump_json()
    assert not [each for each in ("vneid", "Trần", "GUQ", "gọi") if each in told]


def test_the_national_codes_are_those_of_the_three_filing_channels() -> None:
    assert dict(NATIONAL_CHANNELS) == {Channel.COUNTER: 1, Channel.ONLINE: 2, Channel.POST: 3}


def test_what_is_kept_of_a_channel_is_not_personal() -> None:
    assert facts_of(read(channel="online", **FACTS["online"])) == '{"online_level":"full"}'
    assert facts_of(read(**FACTS["counter"], note="x")) == '{"counter":"quay-3","officer":"cb-017"}'
    assert facts_of(read(channel="post", **FACTS["post"])) == f'{{"handed_over_at":"{HANDED}","postal_record":"BBGN-2026/17"}}'


def test_documents_are_complete_or_not_or_nobody_knows_the_list() -> None:
    assert are_complete(read(), NOW, RULES.catalogue) is None
    for papers, complete in ((PAPERS, True), (PAPERS[:-1], False), ([], False)):
        assert are_complete(read(procedure=LICENCE, documents=papers), NOW, RULES.catalogue) is complete


def test_documents_that_are_not_stated_are_neither_complete_nor_incomplete() -> None:
    assert are_complete(read(procedure=LICENCE), NOW, RULES.catalogue) is None
    imported = read(procedure=LICENCE, documents=PAPERS[1:], origin="import", filed_at=HANDED)
    assert are_complete(imported, NOW, RULES.catalogue) is None


def test_a_replays_filings_say_nothing_of_documents() -> None:
    bodies = [case.filing for case in past_of(make_year(load_scenario(), 60, 50, 3)).cases]
    assert bodies
    for body in bodies:
        filed = read_submission(Submission, json.dumps(body, default=str).encode(), RULES)
        assert are_complete(filed, filed.moment or NOW, RULES.catalogue) is None


def test_every_missing_document_is_named_and_every_one_that_nobody_may_ask_for() -> None:
    version = version_of(RULES.catalogue, SMALLEST["agency"], LICENCE, NOW)
    found = check_documents(version, (*PAPERS[:2], "photo"))
    assert (found.complete, [each.code for each in found.missing], found.unlisted) == (False, PAPERS[2:], ("photo",))
    assert check_documents(None, ("photo",)) == (None, (), ())


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"agency": "ldtbxh-haiphong", "procedure": 7}', b"[]"])
def test_of_a_body_that_names_no_procedure_nothing_can_be_missing(raw: bytes) -> None:
    assert missing_of(raw, RULES) == []


def test_a_body_with_other_faults_still_tells_its_missing_documents() -> None:
    body = {**SMALLEST, "procedure": LICENCE, "documents": PAPERS[2:], "channel": "pigeon", "colour": "red"}
    found = missing_of(json.dumps(body).encode(), RULES)
    assert [(fault.pointer, fault.rule.partition(":")[0]) for fault in found] == [
        ("/documents", "must name request-form"),
        ("/documents", "must name premises-proof"),
    ]


def test_missing_documents_are_those_of_the_list_at_the_time_of_filing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []
    monkeypatch.setattr(precheck, "version_of", lambda *args: asked.append(args[-1]))
    before = NOW - timedelta(days=400)
    for more in ({"filed_at": before.isoformat()}, {"handed_over_at": before.isoformat()}, {"filed_at": "yesterday"}, {}):
        missing_of(json.dumps({**SMALLEST, **more, "channel": "pigeon"}).encode(), RULES)
    assert asked == [before, before, NOW, NOW]


def test_a_pre_intake_is_named_by_a_filing_of_its_own_and_not_in_bulk() -> None:
    named = {"pre_intake_id": "01a2b3a0-77aa-7bcd-8e01-0203040506aa"}
    assert facts_of(read(**named)) == json.dumps(named, separators=(",", ":"))
    with pytest.raises(NotValidError) as caught:
        read_submission(SubmissionLine, json.dumps({**SMALLEST, **named, "idempotency_key": "k"}).encode(), RULES)
    assert [fault.pointer for fault in caught.value.faults] == ["/pre_intake_id"]
