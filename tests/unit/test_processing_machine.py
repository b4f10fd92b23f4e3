"""The state machine of a case: every move, every rejection, and the due dates that acceptance makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.processing.domain.case import TRANSITIONS, Case
from services.processing.domain.code import UNALLOTTED
from services.processing.domain.machine import ACTS, TARGETS, Context, Rejected, decide, evolve
from shared.calendar import LimitUnit, load_calendar
from shared.catalogue import CaseKind, Catalogue, Limit, LimitVersion, Name, Procedure, ServiceLevel, load_catalogue
from shared.contracts import commands as ask
from shared.contracts.commands import COMMANDS, Command
from shared.contracts.events import CaseAccepted, CaseEvent, CaseResolved, CaseSubmitted, CommandRejected
from shared.contracts.words import Channel, Kind, Lane, Origin, Outcome, Rejection, Status, StopKind, Timeliness

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FILED = datetime(2020, 12, 17, 8, 0, tzinfo=ZONE)
NOW = datetime(2020, 12, 17, 12, 0, tzinfo=ZONE)
AGENCY = "ldtbxh-haiphong"
SEED = "1.001806"


def context(at: datetime = NOW, **changes: Any) -> Context:
    """A live command that happens, is written down and is decided at one moment."""
    plain = Context(at, at, at, Origin.LIVE, AGENCY, load_calendar(), load_catalogue())
    return replace(plain, **changes)


def submitted(procedure: str = SEED, at: datetime = FILED) -> Case:
    event = CaseSubmitted(
        agency=AGENCY,
        kind=Kind.DOSSIER,
        procedure=procedure,
        channel=Channel.COUNTER,
        filed_at=at,
        return_channel=Channel.POST,
        lane=Lane.BULK,
    )
    return evolve(Case(), event, at)


def after(case: Case, *commands: Command, at: datetime = NOW) -> Case:
    """The case after commands that must all be legal."""
    for command in commands:
        decided = decide(case, command, context(at))
        assert isinstance(decided, list), decided
        for event in decided:
            case = evolve(case, event, at)
    return case


RESOLVE = ask.Resolve(outcome=Outcome.GRANTED)
RETURN = ask.Return(channel=Channel.POST)
STEP = ask.CompleteStep(step="examine", unit="examination")
CASES = {
    Status.REGISTERED: submitted(),
    Status.ACCEPTED: after(submitted(), ask.Accept(unit="one-stop")),
    Status.REFUSED: after(submitted(), ask.Refuse(reason="incomplete")),
    Status.IN_PROCESS: after(submitted(), ask.Accept(), STEP),
    Status.RESOLVED: after(submitted(), ask.Accept(), RESOLVE),
    Status.RETURNED: after(submitted(), ask.Accept(), RESOLVE, RETURN),
}
SAMPLES: dict[str, Command] = {
    "accept": ask.Accept(),
    "refuse": ask.Refuse(reason="incomplete"),
    "complete_step": STEP,
    "forward": ask.Forward(to_unit="labour"),
    "resolve": RESOLVE,
    "return": RETURN,
}
LEGAL = {
    (Status.REGISTERED, "accept"),
    (Status.REGISTERED, "refuse"),
    (Status.ACCEPTED, "complete_step"),
    (Status.ACCEPTED, "forward"),
    (Status.ACCEPTED, "resolve"),
    (Status.IN_PROCESS, "complete_step"),
    (Status.IN_PROCESS, "forward"),
    (Status.IN_PROCESS, "resolve"),
    (Status.RESOLVED, "return"),
}


@pytest.mark.parametrize("status", CASES)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_command_is_carried_out_from_its_legal_statuses_and_from_no_other(status: Status, name: str) -> None:
    decided = decide(CASES[status], SAMPLES[name], context())
    if (status, name) in LEGAL:
        assert isinstance(decided, list)
        moved = evolve(CASES[status], decided[0], NOW)
        assert moved.status == TARGETS[type(SAMPLES[name])]
        assert moved.status in TRANSITIONS[status]
        assert moved.last_fact_at == NOW
    else:
        assert decided == Rejected(Rejection.ILLEGAL_TRANSITION, f"from {status.value}")


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {model.type for model in ACTS}))
def test_a_command_without_a_handler_is_not_supported(name: str) -> None:
    fields: dict[str, Any] = {
        "documents": ("doc",), "reason": "because", "amount_vnd": 1, "new_due_at": NOW, "apology": "sorry", "level": 1,
        "stop_kind": StopKind.SUSPENDED, "event_id": "00000000-0000-0000-0000-000000000000", "cause": "late", "milestone": "half",
        "percent": 50, "other_case_id": "00000000-0000-0000-0000-000000000000",
    }  # fmt: skip
    model = COMMANDS[name]
    command = model.model_construct(**{key: value for key, value in fields.items() if key in model.model_fields})
    assert decide(CASES[Status.IN_PROCESS], command, context()) == Rejected(Rejection.NOT_SUPPORTED)


def test_a_command_for_a_case_that_nobody_submitted_is_of_an_unknown_case() -> None:
    assert decide(Case(), ask.Accept(), context()) == Rejected(Rejection.UNKNOWN_CASE)


def test_another_agency_may_not_command_the_case() -> None:
    assert decide(submitted(), ask.Accept(), context(agency="other")) == Rejected(Rejection.WRONG_AGENCY)


def test_a_command_older_than_the_last_fact_is_out_of_order() -> None:
    decided = decide(submitted(), ask.Accept(), context(FILED - timedelta(microseconds=1)))
    assert decided == Rejected(Rejection.OUT_OF_ORDER)
    assert isinstance(decide(submitted(), ask.Accept(), context(FILED)), list)


def test_the_future_begins_five_minutes_ahead() -> None:
    ahead = NOW + timedelta(minutes=5)
    assert isinstance(decide(submitted(), ask.Accept(), context(now=NOW, occurred_at=ahead)), list)
    beyond = context(now=NOW, occurred_at=ahead + timedelta(microseconds=1))
    assert decide(submitted(), ask.Accept(), beyond) == Rejected(Rejection.IN_THE_FUTURE)


@pytest.mark.parametrize("origin", Origin)
def test_a_live_command_may_not_tell_of_the_past_but_a_replay_and_an_import_may(origin: Origin) -> None:
    past = context(occurred_at=NOW - timedelta(minutes=5, microseconds=1), origin=origin)
    decided = decide(submitted(), ask.Accept(), past)
    assert decided == Rejected(Rejection.PAST_NOT_ALLOWED) if origin is Origin.LIVE else isinstance(decided, list)


def test_a_live_command_that_waited_in_a_queue_is_not_of_the_past() -> None:
    assert isinstance(decide(submitted(), ask.Accept(), context(now=NOW + timedelta(days=3))), list)


def test_a_command_written_down_more_than_fourteen_days_ago_has_expired() -> None:
    assert isinstance(decide(submitted(), ask.Accept(), context(now=NOW + timedelta(days=14))), list)
    late = context(now=NOW + timedelta(days=14, microseconds=1))
    assert decide(submitted(), ask.Accept(), late) == Rejected(Rejection.EXPIRED)


def test_acceptance_states_limits_and_due_dates_but_no_code_yet() -> None:
    (event,) = decide(submitted(), ask.Accept(unit="one-stop"), context())  # type: ignore[misc]
    assert isinstance(event, CaseAccepted)
    assert event.code == UNALLOTTED
    assert (event.field, event.procedure_version, event.unit) == ("social-protection", 2, "one-stop")
    assert event.committed is not None
    assert event.statutory is not None
    assert (event.committed.count, event.statutory.count) == (10, 15)
    assert event.due_at == datetime(2020, 12, 31, 17, 0, tzinfo=ZONE)
    assert event.statutory_due_at == datetime(2021, 1, 8, 17, 0, tzinfo=ZONE)
    case = evolve(submitted(), event, NOW)
    assert (case.code, case.due_at, case.accepted_at) == (None, event.due_at, NOW)


def test_a_stated_code_becomes_the_cases() -> None:
    (event,) = decide(submitted(), ask.Accept(), context())  # type: ignore[misc]
    coded = event.model_copy(update={"code": "000.00.07.H24-201217-0023"})
    assert evolve(submitted(), coded, NOW).code == "000.00.07.H24-201217-0023"


@pytest.mark.parametrize(
    ("accepted_at", "version"),
    [
        (datetime(2020, 6, 30, 16, 59, 59, tzinfo=UTC), 1),
        (datetime(2020, 6, 30, 17, 0, tzinfo=UTC), 2),
        (datetime(2020, 7, 1, 8, 0, tzinfo=ZONE), 2),
    ],
)
def test_the_version_in_force_is_that_of_the_local_date_of_acceptance(accepted_at: datetime, version: int) -> None:
    case = submitted(at=datetime(2020, 6, 1, 8, 0, tzinfo=ZONE))
    (event,) = decide(case, ask.Accept(), context(accepted_at))  # type: ignore[misc]
    assert isinstance(event, CaseAccepted)
    assert event.procedure_version == version


@pytest.mark.parametrize("procedure", ["log.receipt", "9.999999"])
def test_a_case_without_a_known_limit_has_no_due_date(procedure: str) -> None:
    case = after(submitted(procedure), ask.Accept(), RESOLVE)
    assert (case.due_at, case.statutory_due_at, case.field) == (None, None, "other")


@pytest.mark.parametrize(("day", "timeliness"), [(30, Timeliness.EARLY), (31, Timeliness.ON_TIME), (32, Timeliness.LATE)])
def test_timeliness_compares_local_dates(day: int, timeliness: Timeliness) -> None:
    case = after(submitted(), ask.Accept())
    at = datetime(2020, 12, 1, 23, 59, tzinfo=ZONE) + timedelta(days=day - 1)
    (event,) = decide(case, RESOLVE, context(at))  # type: ignore[misc]
    assert isinstance(event, CaseResolved)
    assert event.timeliness is timeliness


def test_a_resolution_without_a_due_date_is_a_bucket_of_its_own() -> None:
    (event,) = decide(after(submitted("log.receipt"), ask.Accept()), RESOLVE, context())  # type: ignore[misc]
    assert isinstance(event, CaseResolved)
    assert event.timeliness is Timeliness.NO_DUE_DATE


def test_a_step_and_a_forward_name_the_unit_and_a_forward_to_an_agency_clears_it() -> None:
    case = after(submitted(), ask.Accept(unit="one-stop"), ask.CompleteStep(step="assign"))
    assert (case.unit, case.step) == ("one-stop", "assign")
    case = after(case, ask.Forward(to_unit="labour"))
    assert case.unit == "labour"
    case = after(case, ask.Forward(to_agency="tax"))
    assert (case.unit, case.agency, case.step) == (None, AGENCY, "assign")


def test_the_way_of_return_is_what_happened_not_what_was_wished() -> None:
    assert submitted().return_channel == Channel.POST
    returned = after(submitted(), ask.Accept(), RESOLVE, ask.Return(channel=Channel.COUNTER))
    assert (returned.return_channel, returned.returned_at, returned.outcome) == (Channel.COUNTER, NOW, Outcome.GRANTED)


def test_a_rejection_changes_nothing() -> None:
    rejected = CommandRejected(agency=AGENCY, kind=Kind.DOSSIER, command_id="1", command="accept", reason=Rejection.OUT_OF_ORDER)
    assert evolve(CASES[Status.ACCEPTED], rejected, NOW + timedelta(days=1)) is CASES[Status.ACCEPTED]


def test_every_command_with_an_act_has_a_target_and_every_target_is_reachable() -> None:
    assert ACTS.keys() == TARGETS.keys()
    reachable = {status for following in TRANSITIONS.values() for status in following}
    assert set(TARGETS.values()) == reachable


VECTORS = [  # domain rules 2.2: accepted, count, unit, due
    (date(2020, 12, 17), 10, LimitUnit.WORKING_DAYS, date(2020, 12, 31)),
    (date(2020, 12, 17), 15, LimitUnit.WORKING_DAYS, date(2021, 1, 8)),
    (date(2020, 12, 17), 7, LimitUnit.WORKING_DAYS, date(2020, 12, 28)),
    (date(2021, 2, 3), 7, LimitUnit.WORKING_DAYS, date(2021, 2, 19)),
    (date(2021, 4, 28), 3, LimitUnit.WORKING_DAYS, date(2021, 5, 5)),
    (date(2023, 4, 27), 5, LimitUnit.WORKING_DAYS, date(2023, 5, 9)),
    (date(2022, 8, 30), 2, LimitUnit.WORKING_DAYS, date(2022, 9, 5)),
    (date(2024, 4, 26), 5, LimitUnit.WORKING_DAYS, date(2024, 5, 7)),
    (date(2025, 4, 25), 5, LimitUnit.WORKING_DAYS, date(2025, 5, 6)),
    (date(2025, 12, 31), 3, LimitUnit.WORKING_DAYS, date(2026, 1, 7)),
    (date(2026, 1, 8), 3, LimitUnit.WORKING_DAYS, date(2026, 1, 12)),
    (date(2026, 2, 12), 5, LimitUnit.WORKING_DAYS, date(2026, 2, 26)),
    (date(2026, 8, 20), 3, LimitUnit.WORKING_DAYS, date(2026, 8, 24)),
    (date(2026, 8, 28), 7, LimitUnit.WORKING_DAYS, date(2026, 9, 11)),
    (date(2026, 4, 20), 12, LimitUnit.CALENDAR_DAYS, date(2026, 5, 4)),
    (date(2024, 2, 1), 7, LimitUnit.CALENDAR_DAYS, date(2024, 2, 15)),
]


@pytest.mark.parametrize(("accepted_on", "count", "unit", "due_on"), VECTORS)
def test_due_dates_are_those_of_the_worked_vectors(accepted_on: date, count: int, unit: LimitUnit, due_on: date) -> None:
    limit = Limit(count=count, unit=unit)
    version = LimitVersion(
        version=1, statutory=limit, committed=None, valid_from=None, valid_to=None, decision=None, assumed=False
    )
    procedure = Procedure(
        code="t.1", name=Name(vi="Thử", en="Trial"), kind=CaseKind.DOSSIER, level=ServiceLevel.UNKNOWN, verified=True,
        sources=("test",), limits=(version,),
    )  # fmt: skip
    known = Catalogue({"t.1": procedure}, {"t.1": "other"}, {})
    at = datetime(accepted_on.year, accepted_on.month, accepted_on.day, 9, 30, tzinfo=ZONE)
    (event,) = decide(submitted("t.1", at), ask.Accept(), context(at, catalogue=known))  # type: ignore[misc]
    assert isinstance(event, CaseAccepted)
    close = datetime(due_on.year, due_on.month, due_on.day, 17, 0, tzinfo=ZONE)
    assert (event.due_at, event.statutory_due_at) == (close, close)
    assert isinstance(event, CaseEvent)
