"""What the public sees of a case: its code and how far it has come."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.case import FOLLOWED, WORDS, Case, Completion, follow
from shared.contracts.events import (
    CaseAccepted,
    CaseEvent,
    CaseRefused,
    CaseReopened,
    CaseResolved,
    CaseResumed,
    CaseReturned,
    CaseStopped,
)
from shared.contracts.words import Channel, Kind, Outcome, StopKind, Timeliness

WHO: dict[str, Any] = {"agency": "ldtbxh-haiphong", "kind": Kind.DOSSIER}
ACCEPTED = CaseAccepted(**WHO, code="H24-201217-0001", procedure="1.001806", field="social-protection", channel=Channel.COUNTER)
RESOLVED = CaseResolved(**WHO, outcome=Outcome.GRANTED, timeliness=Timeliness.EARLY)


def stopped(kind: StopKind) -> CaseStopped:
    return CaseStopped(**WHO, stop_kind=kind, reason="asked")


def test_a_whole_life_ends_returned_with_its_code() -> None:
    case = Case(completion=Completion.REGISTERED)
    seen = []
    for event in (ACCEPTED, RESOLVED, CaseReturned(**WHO, channel=Channel.POST)):
        case = follow(case, event)
        seen.append(case.completion)
    assert seen == ["in_process", "resolved", "returned"]
    assert case.code == "H24-201217-0001"


@pytest.mark.parametrize(
    ("event", "degree"),
    [
        (CaseRefused(**WHO, reason="incomplete"), Completion.REFUSED),
        (CaseReopened(**WHO, reason="wrong_result"), Completion.IN_PROCESS),
        (CaseResumed(**WHO, reason="found"), Completion.IN_PROCESS),
        (stopped(StopKind.WITHDRAWN), Completion.STOPPED),
        (stopped(StopKind.TERMINATED), Completion.STOPPED),
    ],
)
def test_each_fact_has_its_degree_and_keeps_the_code(event: CaseEvent, degree: Completion) -> None:
    assert follow(Case("code", Completion.RESOLVED), event) == Case("code", degree.value)


def test_a_suspended_case_is_still_in_process() -> None:
    case = Case("code", Completion.IN_PROCESS.value)
    assert follow(case, stopped(StopKind.SUSPENDED)) == case


def test_every_degree_has_words_and_every_followed_event_is_one_class() -> None:
    assert set(WORDS) == set(Completion)
    assert all(vi and en for vi, en in WORDS.values())
    assert len({event.type for event in FOLLOWED}) == len(FOLLOWED)
