"""First-time validity: which facts say that a dossier was not complete and correct when it was first filed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.metrics.domain.case import Case
from services.metrics.domain.projection import project
from services.metrics.domain.tallies import Tallies
from services.metrics.domain.validity import OF_DOCUMENTS
from shared.catalogue import ReasonUse, load_catalogue
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.words import Channel, Kind, Origin

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
WHO: dict[str, Any] = {"agency": "ldtbxh-haiphong", "kind": Kind.DOSSIER}
CASE_ID, FIRST, SECOND = uuid4(), UUID(int=1), UUID(int=2)
Fact = tuple[Envelope, ev.CaseEvent]


def fact(event: ev.CaseEvent, sequence: int, at: datetime = AT) -> Fact:
    source = f"/{event.stated_by}"
    return Envelope(str(uuid4()), event.type, source, str(CASE_ID), event.agency, at, at, Origin.LIVE, sequence), event


def submitted(complete: bool | None = None) -> Fact:
    event = ev.CaseSubmitted(**WHO, procedure="1.001865", channel=Channel.POST, filed_at=AT, documents_complete=complete)
    return fact(event, 1)


def refused(reason: str) -> Fact:
    return fact(ev.CaseRefused(**WHO, reason=reason), 1)


def suspected(other: UUID, sequence: int = 2) -> Fact:
    return fact(ev.DuplicateSuspected(**WHO, other_case_id=other, reason="same_person_and_procedure"), sequence, LATER)


def after(*facts: Fact, case: Case | None = None) -> Case:
    case = case or Case()
    for envelope, event in facts:
        case = project(case, envelope, event)
    return case


@pytest.mark.parametrize("complete", [True, False, None])
def test_the_filing_says_whether_its_documents_were_complete(complete: bool | None) -> None:
    assert after(submitted(complete)).documents_complete is complete


def test_a_supplement_that_was_asked_for_stays_known_when_it_has_come() -> None:
    asked = fact(ev.SupplementRequested(**WHO, documents=("request-form",), reason="incomplete"), 2)
    came = fact(ev.SupplementReceived(**WHO), 3)
    for order in permutations([submitted(), asked, came]):
        assert after(*order).supplemented


@pytest.mark.parametrize(("reason", "documents"), [("incomplete", True), ("document_expired", True), ("not_ours", False)])
def test_only_a_refusal_for_its_documents_counts(reason: str, documents: bool) -> None:
    assert after(submitted(), refused(reason)).refused_for_documents is documents


@pytest.mark.parametrize(("reason", "documents"), [("incomplete", True), ("not_ours", False)])
def test_what_was_unknown_is_known_once_a_fact_says_it(reason: str, documents: bool) -> None:
    before = Case(supplemented=None, refused_for_documents=None)
    assert (after(submitted(), case=before).supplemented, after(submitted(), case=before).refused_for_documents) == (None, None)
    assert after(refused(reason), case=before).refused_for_documents is documents
    asked = fact(ev.SupplementRequested(**WHO, documents=("request-form",), reason="incomplete"), 2)
    assert after(asked, case=before).supplemented is True


def test_the_reasons_are_the_catalogues_for_which_a_supplement_can_be_asked_too() -> None:
    both = {ReasonUse.REFUSAL, ReasonUse.SUPPLEMENT}
    assert {code for code, reason in load_catalogue().reasons.items() if both <= set(reason.use)} == OF_DOCUMENTS


def test_the_earlier_filing_is_the_same_in_any_order() -> None:
    for order in permutations([submitted(), suspected(FIRST), suspected(SECOND, 3)]):
        assert after(*order).refiled_from == SECOND


def test_a_suspicion_is_no_part_of_a_cases_life() -> None:
    case = after(submitted(), suspected(FIRST))
    assert (case.first_at, case.last_at) == (AT, AT)


def test_suspicions_are_counted() -> None:
    tallies, (_, event) = Tallies.empty(), suspected(FIRST)
    tallies.add(Case(), after(submitted(), suspected(FIRST)), event)
    assert [(key.series, key.field, count) for key, count in tallies.counts.items()] == [("duplicate", "other", 1)]
