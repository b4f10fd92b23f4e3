"""Which facts are told, to whom, and what a message may state."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.notification.domain.case import STATUS_AFTER, Case, evolve
from services.notification.domain.policy import HEARD, NOTICES, QUIET, notice_for, particulars
from shared.contracts.events import (
    EVENTS,
    CaseAccepted,
    CaseCorrected,
    CaseExtended,
    CaseForwarded,
    CaseResolved,
    CaseResumed,
    CaseSubmitted,
    DueDateRecalculated,
    PaymentReceived,
    SupplementReceived,
    SupplementRequested,
)
from shared.contracts.words import Channel, Kind, Lane, Origin, Outcome, Status, Timeliness

AT = datetime(2020, 12, 17, 2, tzinfo=UTC)
DUE = datetime(2020, 12, 31, 10, tzinfo=UTC)
NEW_DUE = datetime(2021, 1, 8, 10, tzinfo=UTC)


def accepted(kind: Kind = Kind.DOSSIER) -> CaseAccepted:
    return CaseAccepted(
        agency="ldtbxh-haiphong",
        kind=kind,
        code="000.00.07.H24-201217-0023",
        procedure="1.001806",
        field="employment",
        channel=Channel.COUNTER,
        due_at=DUE,
    )


def test_every_event_type_is_either_told_or_left_untold_for_a_reason() -> None:
    assert set(NOTICES) | set(QUIET) == set(EVENTS)
    assert not set(NOTICES) & set(QUIET)
    assert all(QUIET.values())


def test_what_the_law_orders_to_be_told_is_mandatory() -> None:
    mandatory = {fact for fact, notice in NOTICES.items() if notice.mandatory}
    assert mandatory == {
        "case.accepted",
        "case.refused",
        "case.supplement_requested",
        "case.extended",
        "case.stopped",
        "case.resolved",
    }


def test_the_service_hears_what_it_tells_and_the_submission() -> None:
    assert set(HEARD) == {*NOTICES, "case.submitted"}
    assert set(HEARD) == {*STATUS_AFTER, "case.corrected"}


@pytest.mark.parametrize("origin", [Origin.LIVE, Origin.REPLAY])
def test_an_acceptance_is_told_live_and_in_a_replay(origin: Origin) -> None:
    assert notice_for(accepted(), origin) is NOTICES["case.accepted"]


def test_an_import_notifies_nobody() -> None:
    assert notice_for(accepted(), Origin.IMPORT) is None


def test_a_task_has_no_applicant_to_tell() -> None:
    assert notice_for(accepted(Kind.TASK), Origin.LIVE) is None
    assert notice_for(accepted(Kind.FEEDBACK), Origin.LIVE) is not None


@pytest.mark.parametrize(
    ("to_unit", "to_agency", "told"),
    [("unit-2", None, False), (None, "agency-1", False), (None, "agency-2", True), ("unit-2", "agency-2", True)],
)
def test_only_a_case_that_leaves_its_agency_is_told_as_forwarded(to_unit: str | None, to_agency: str | None, told: bool) -> None:
    event = CaseForwarded(agency="agency-1", kind=Kind.DOSSIER, to_unit=to_unit, to_agency=to_agency)
    assert (notice_for(event, Origin.LIVE) is not None) is told


@pytest.mark.parametrize(
    ("new_due_at", "reason", "told"),
    [
        (NEW_DUE, "calendar_changed", True),
        (DUE, "calendar_changed", False),
        (DUE.replace(hour=9), "calendar_changed", False),
        (None, "calendar_changed", True),
        (NEW_DUE, "clock_stopped", False),
    ],
)
def test_a_recalculated_due_date_is_told_when_the_calendar_gave_it_another_day(
    new_due_at: datetime | None, reason: str, told: bool
) -> None:
    event = DueDateRecalculated(agency="ldtbxh-haiphong", kind=Kind.DOSSIER, old_due_at=DUE, new_due_at=new_due_at, reason=reason)
    assert (notice_for(event, Origin.LIVE) is not None) is told


def test_a_submission_fixes_the_lane_and_an_acceptance_the_code_and_the_due_date() -> None:
    submitted = CaseSubmitted(
        agency="ldtbxh-haiphong", kind=Kind.DOSSIER, procedure="1.001806", channel=Channel.ONLINE, filed_at=AT, lane=Lane.BULK
    )
    case = evolve(evolve(Case(), submitted), accepted())
    assert case == Case("ldtbxh-haiphong", "dossier", "000.00.07.H24-201217-0023", DUE, int(Status.ACCEPTED), int(Lane.BULK))


def test_a_new_due_date_replaces_the_old_one_whoever_sets_it() -> None:
    case = evolve(Case(), accepted())
    extension = CaseExtended(
        agency="ldtbxh-haiphong", kind=Kind.DOSSIER, old_due_at=DUE, new_due_at=NEW_DUE, reason="complex", apology="late"
    )
    assert evolve(case, extension).due_at == NEW_DUE
    assert evolve(case, extension).status == Status.IN_PROCESS
    complete = SupplementReceived(agency="ldtbxh-haiphong", kind=Kind.DOSSIER, due_at=NEW_DUE)
    assert evolve(case, complete).due_at == NEW_DUE
    unchanged = SupplementReceived(agency="ldtbxh-haiphong", kind=Kind.DOSSIER)
    assert evolve(case, unchanged).due_at == DUE


@pytest.mark.parametrize(
    "event",
    [
        PaymentReceived(agency="ldtbxh-haiphong", kind=Kind.DOSSIER, amount_vnd=1, due_at=NEW_DUE),
        CaseResumed(agency="ldtbxh-haiphong", kind=Kind.DOSSIER, reason="obstacle_removed", due_at=NEW_DUE),
    ],
)
def test_a_standstill_that_is_over_tells_the_new_appointment(event: PaymentReceived | CaseResumed) -> None:
    case = evolve(evolve(Case(), accepted()), event)
    assert (case.due_at, case.status) == (NEW_DUE, Status.IN_PROCESS)
    notice = notice_for(event, Origin.LIVE)
    assert notice is not None
    assert particulars(notice, case, event)["due_at"] == "2021-01-08T10:00:00+00:00"


def corrected(due_at: datetime | None, fact: str = "case.accepted") -> CaseCorrected:
    return CaseCorrected(
        agency="ldtbxh-haiphong", kind=Kind.DOSSIER, event_id=UUID(int=1), reason="wrong_date_entered", occurred_at=AT,
        corrected=fact, due_at=due_at,
    )  # fmt: skip


def test_a_corrected_acceptance_is_told_when_it_gives_the_appointment_another_day() -> None:
    case = evolve(Case(), accepted())
    assert notice_for(corrected(NEW_DUE), Origin.LIVE, case) is NOTICES["case.corrected"]
    assert (evolve(case, corrected(NEW_DUE)).due_at, evolve(case, corrected(NEW_DUE)).status) == (NEW_DUE, Status.ACCEPTED)
    assert notice_for(corrected(DUE.replace(hour=9)), Origin.LIVE, case) is None
    assert notice_for(corrected(NEW_DUE), Origin.LIVE, case._replace(status=int(Status.RETURNED))) is None


def test_a_corrected_resolution_is_the_offices_own_affair() -> None:
    case = evolve(Case(), accepted())
    assert notice_for(corrected(None, "case.resolved"), Origin.LIVE, case) is None
    assert evolve(case, corrected(None, "case.resolved")).due_at == DUE


@pytest.mark.parametrize("fact", ["case.due_soon", "case.overdue", "case.escalated", "case.cause_recorded"])
def test_what_reminds_the_office_reaches_no_applicant(fact: str) -> None:
    assert fact in QUIET


def test_a_recalculated_due_date_does_not_end_a_pause() -> None:
    asked = SupplementRequested(agency="ldtbxh-haiphong", kind=Kind.DOSSIER, documents=("d1",), reason="missing")
    paused = evolve(evolve(Case(), accepted()), asked)
    moved = DueDateRecalculated(
        agency="ldtbxh-haiphong", kind=Kind.DOSSIER, old_due_at=DUE, new_due_at=NEW_DUE, reason="calendar"
    )
    assert evolve(paused, moved).status == Status.SUPPLEMENT_REQUESTED


def test_particulars_are_taken_down_as_plain_values() -> None:
    event = CaseResolved(agency="ldtbxh-haiphong", kind=Kind.DOSSIER, outcome=Outcome.GRANTED, timeliness=Timeliness.EARLY)
    case = evolve(evolve(Case(), accepted()), event)
    assert particulars(NOTICES["case.resolved"], case, event) == {
        "code": "000.00.07.H24-201217-0023",
        "due_at": "2020-12-31T10:00:00+00:00",
        "status": 9,
        "outcome": "granted",
        "timeliness": "early",
        "reason": None,
    }


def test_a_message_states_no_document() -> None:
    assert not any("documents" in notice.states for notice in NOTICES.values())


def test_the_case_remembers_nothing_personal() -> None:
    assert Case._fields == ("agency", "kind", "code", "due_at", "status", "lane")
