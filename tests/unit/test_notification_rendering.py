"""The text of messages, compared with golden files; `MOTCUA_WRITE_GOLDEN=1` rewrites them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.notification.domain.case import Case, evolve
from services.notification.domain.ledger import Entry
from services.notification.domain.policy import NOTICES
from services.notification.rendering import LANGUAGES, SIMULATED, Renderer
from shared.contracts import events as e
from shared.contracts.private import Contact
from shared.contracts.words import Channel, Kind, Origin, Outcome, StopKind, Timeliness
from tests.support.notification import entry_about

GOLDEN = Path(__file__).parent / "golden"
CASE_ID = UUID("01936f3c-0000-7000-8000-000000000001")
DUE = datetime(2020, 12, 31, 10, tzinfo=UTC)
# 23:30 UTC is the next day in Viet Nam
NEW_DUE = datetime(2021, 1, 7, 23, 30, tzinfo=UTC)
OF: dict[str, Any] = {"agency": "ldtbxh-haiphong", "kind": Kind.DOSSIER}

ACCEPTED = e.CaseAccepted(
    **OF, code="000.00.07.H24-201217-0023", procedure="1.001806", field="employment", channel=Channel.COUNTER, due_at=DUE
)
SAMPLES: dict[str, e.CaseEvent] = {
    "accepted": ACCEPTED,
    "accepted without a due date": ACCEPTED.model_copy(update={"due_at": None}),
    "refused": e.CaseRefused(**OF, reason="wrong_agency"),
    "forwarded": e.CaseForwarded(**OF, to_agency="so-y-te"),
    "supplement requested": e.SupplementRequested(**OF, documents=("mau-04",), reason="missing_documents", until=NEW_DUE),
    "supplement requested without a date": e.SupplementRequested(**OF, documents=(), reason="missing_documents"),
    "supplement received": e.SupplementReceived(**OF, due_at=NEW_DUE),
    "payment requested": e.PaymentRequested(**OF, amount_vnd=1_200_000, until=NEW_DUE),
    "payment received": e.PaymentReceived(**OF, amount_vnd=1_200_000, due_at=NEW_DUE),
    "extended": e.CaseExtended(**OF, old_due_at=DUE, new_due_at=NEW_DUE, reason="consultation_late", apology="issued"),
    "due date recalculated": e.DueDateRecalculated(**OF, old_due_at=DUE, new_due_at=NEW_DUE, reason="calendar_changed"),
    "withdrawal requested": e.WithdrawalRequested(**OF),
    "suspended": e.CaseStopped(**OF, stop_kind=StopKind.SUSPENDED, reason="waits_for_court"),
    "withdrawn": e.CaseStopped(**OF, stop_kind=StopKind.WITHDRAWN, reason="applicant_asked"),
    "terminated": e.CaseStopped(**OF, stop_kind=StopKind.TERMINATED, reason="no_answer"),
    "resumed": e.CaseResumed(**OF, reason="court_decided"),
    "resolved early": e.CaseResolved(**OF, outcome=Outcome.GRANTED, timeliness=Timeliness.EARLY),
    "resolved late": e.CaseResolved(**OF, outcome=Outcome.REFUSED, timeliness=Timeliness.LATE),
    "refused after appraisal": e.CaseResolved(
        **OF, outcome=Outcome.REFUSED, timeliness=Timeliness.ON_TIME, reason="not_eligible"
    ),
    "no objection": e.CaseResolved(**OF, outcome=Outcome.NO_OBJECTION, timeliness=Timeliness.ON_TIME),
    "answered": e.CaseResolved(**(OF | {"kind": Kind.FEEDBACK}), outcome=Outcome.ANSWERED, timeliness=Timeliness.NO_DUE_DATE),
    "feedback refused": e.CaseRefused(**(OF | {"kind": Kind.FEEDBACK}), reason="not_accepted_feedback", late=True),
    "feedback to be completed": e.SupplementRequested(
        **(OF | {"kind": Kind.FEEDBACK}), documents=("photo",), reason="content_unclear", until=NEW_DUE
    ),
    "returned by the hotline": e.CaseReturned(**(OF | {"kind": Kind.FEEDBACK}), channel=Channel.HOTLINE),
    "returned at the counter": e.CaseReturned(**OF, channel=Channel.COUNTER),
    "returned by post": e.CaseReturned(**OF, channel=Channel.POST),
    "returned online": e.CaseReturned(**OF, channel=Channel.ONLINE),
    "reopened": e.CaseReopened(**OF, reason="complaint"),
    "corrected": e.CaseCorrected(
        **OF, event_id=CASE_ID, reason="wrong_date_entered", occurred_at=DUE, corrected="case.accepted", due_at=NEW_DUE
    ),
}


def entry_of(event: e.CaseEvent, language: str, origin: Origin = Origin.LIVE) -> Entry:
    before = Case() if event.type in ("case.accepted", "case.refused") else evolve(Case(), ACCEPTED)
    return entry_about(CASE_ID, event, evolve(before, event), language, origin)


def written(language: str) -> Iterator[str]:
    renderer = Renderer(agency_names={"ldtbxh-haiphong": "Sở Lao động – Thương binh và Xã hội Hải Phòng"})
    for name, event in SAMPLES.items():
        subject, text = renderer.render(entry_of(event, language))
        yield f"=== {name}\n{subject}\n---\n{text}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_reads_as_its_golden_text(language: str) -> None:
    golden, text = GOLDEN / f"messages.{language}.txt", "\n".join(written(language))
    if os.environ.get("MOTCUA_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_samples_cover_every_fact_that_is_told() -> None:
    assert {event.type for event in SAMPLES.values()} == set(NOTICES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_subject_and_text_fit_one_another_and_leave_no_blank(name: str, language: str) -> None:
    subject, text = Renderer().render(entry_of(SAMPLES[name], language))
    assert subject
    assert len(subject) <= 120
    assert "\n" not in subject
    assert text.endswith("\n")
    assert "None" not in subject + text
    assert "\n\n\n" not in text


def test_a_replayed_message_begins_with_the_mark_of_a_simulation() -> None:
    subject, text = Renderer().render(entry_of(ACCEPTED, "vi", Origin.REPLAY))
    assert subject.startswith(SIMULATED)
    assert text.startswith(SIMULATED)
    assert SIMULATED == "[MÔ PHỎNG / SIMULATED]"


def test_a_live_message_has_no_such_mark() -> None:
    assert "SIMULATED" not in "".join(Renderer().render(entry_of(ACCEPTED, "vi")))


def test_due_dates_are_days_of_viet_nam_not_of_utc() -> None:
    _, text = Renderer().render(entry_of(SAMPLES["extended"], "vi"))
    assert "Ngày hẹn mới: 08/01/2021." in text


def test_the_look_up_page_is_named_with_the_code() -> None:
    renderer = Renderer(lookup_url="https://dvc.example.vn/tra-cuu?ma={code}")
    _, text = renderer.render(entry_of(ACCEPTED, "en"))
    assert "Look up: https://dvc.example.vn/tra-cuu?ma=000.00.07.H24-201217-0023\n" in text


def test_a_case_without_a_code_is_referred_to_by_its_id() -> None:
    subject, _ = Renderer().render(entry_of(SAMPLES["refused"], "en"))
    assert str(CASE_ID) in subject


def test_the_ledger_has_no_column_that_could_hold_a_contact() -> None:
    names = set(Entry._fields)
    assert not names & (set(Contact.model_fields) - {"language"})


def test_a_template_cannot_reach_beyond_its_particulars() -> None:
    hostile = entry_of(ACCEPTED, "vi")._replace(agency="{{ ''.__class__ }}<b>")
    _, text = Renderer().render(hostile)
    assert "Cơ quan: {{ ''.__class__ }}<b>\n" in text
