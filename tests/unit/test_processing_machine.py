"""The state machine of a case: every move, every rejection, and the due dates that acceptance makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.processing.domain.case import TRANSITIONS, Case
from services.processing.domain.code import UNALLOTTED
from services.processing.domain.machine import MOVES, Context, Rejected, decide, evolve
from shared.calendar import load_calendar
from shared.catalogue import load_catalogue
from shared.contracts import commands as ask
from shared.contracts.commands import COMMANDS, Command
from shared.contracts.events import CaseAccepted, CaseResolved, CaseSubmitted, CommandRejected
from shared.contracts.words import Channel, ContactVia, Kind, Lane, Origin, Outcome, Rejection, Status, StopKind, Timeliness

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
ASK_PAPERS = ask.RequestSupplement(documents=("request",), reason="missing_document")
ASK_FEE = ask.RequestPayment(amount_vnd=600_000)
SUSPEND = ask.Stop(stop_kind=StopKind.SUSPENDED, reason="court_case")
WITHDRAW = ask.RequestWithdrawal()
GO_ON = ask.Resume(reason="case_decided")
ACCEPTED = after(submitted(), ask.Accept(unit="one-stop"))
CASES = {
    "1": submitted(),
    "2": ACCEPTED,
    "3": after(submitted(), ask.Refuse(reason="incomplete")),
    "4": after(ACCEPTED, STEP),
    "5": after(ACCEPTED, ASK_PAPERS),
    "6": after(ACCEPTED, ASK_FEE),
    "7": after(ACCEPTED, WITHDRAW),
    "8": after(ACCEPTED, SUSPEND),
    "9": after(ACCEPTED, RESOLVE),
    "10": after(ACCEPTED, RESOLVE, RETURN),
    "5 before acceptance": after(submitted(), ASK_PAPERS),
    "7 before acceptance": after(submitted(), WITHDRAW),
    "8 before acceptance": after(submitted(), WITHDRAW, ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="asked")),
}
SAMPLES: dict[str, Command] = {
    "accept": ask.Accept(),
    "refuse": ask.Refuse(reason="incomplete"),
    "complete_step": STEP,
    "forward": ask.Forward(to_unit="labour"),
    "request_supplement": ASK_PAPERS,
    "receive_supplement": ask.ReceiveSupplement(),
    "request_payment": ASK_FEE,
    "receive_payment": ask.ReceivePayment(amount_vnd=600_000),
    "extend": ask.Extend(new_due_at=NOW + timedelta(days=60), reason="verification", apology="sorry"),
    "escalate": ask.Escalate(level=1),
    "request_withdrawal": WITHDRAW,
    "stop suspended": SUSPEND,
    "stop terminated": ask.Stop(stop_kind=StopKind.TERMINATED, reason="not_completed"),
    "stop withdrawn": ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="asked"),
    "resume": GO_ON,
    "resolve": RESOLVE,
    "return": RETURN,
    "reopen": ask.Reopen(reason="wrong_result"),
    "record_cause": ask.RecordCause(cause="verification"),
    "link": ask.Link(other_case_id=uuid4(), reason="same_applicant"),
    "record_contact": ask.RecordContact(via=ContactVia.CALL, source="stringee"),
    "rate": ask.Rate(score=4),
}
LEGAL: dict[str, dict[str, int]] = {
    "accept": {"1": 2, "5 before acceptance": 2},
    "refuse": {"1": 3},
    "complete_step": {"2": 4, "4": 4},
    "forward": {"2": 4, "4": 4},
    "request_supplement": {"1": 5, "2": 5, "4": 5},
    "receive_supplement": {"5": 4},
    "request_payment": {"2": 6, "4": 6},
    "receive_payment": {"6": 4},
    "extend": {"2": 2, "4": 4},
    "escalate": {"2": 2, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9, "10": 10},
    "request_withdrawal": {"1": 7, "2": 7, "4": 7, "5": 7, "6": 7, "5 before acceptance": 7},
    "stop suspended": {"2": 8, "4": 8, "5": 8, "6": 8},
    "stop terminated": {"2": 8, "4": 8, "5": 8, "6": 8, "5 before acceptance": 8},
    "stop withdrawn": {"7": 8, "7 before acceptance": 8},
    "resume": {"7": 4, "8": 4},
    "resolve": {"2": 9, "4": 9, "6": 9},
    "return": {"9": 10},
    "reopen": {"9": 4, "10": 4},
    "record_cause": {name: int(name.split()[0]) for name in CASES if name != "1"},
    "link": {name: int(name.split()[0]) for name in CASES},
    "record_contact": {name: int(name.split()[0]) for name in CASES},
    "rate": {"3": 3, "9": 9, "10": 10},
}
BESIDE = {"record_contact", "rate", "link"}
"""They leave the time of the last fact: what an officer did a moment before them may come after them."""
OTHER_REASONS = {
    ("request_withdrawal", "9"): Rejection.DECISION_EXISTS,
    ("request_withdrawal", "10"): Rejection.DECISION_EXISTS,
    ("escalate", "3"): Rejection.NO_DUE_DATE,
    ("escalate", "5 before acceptance"): Rejection.NO_DUE_DATE,
    ("escalate", "7 before acceptance"): Rejection.NO_DUE_DATE,
    ("escalate", "8 before acceptance"): Rejection.NO_DUE_DATE,
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("what", SAMPLES)
def test_a_command_is_carried_out_from_its_legal_statuses_and_from_no_other(name: str, what: str) -> None:
    case, moves = CASES[name], LEGAL[what]
    decided = decide(case, SAMPLES[what], context())
    if name not in moves:
        expected = OTHER_REASONS.get((what, name), Rejection.ILLEGAL_TRANSITION)
        assert isinstance(decided, Rejected)
        assert decided.reason is expected
        return
    assert isinstance(decided, list), decided
    moved = case
    for event in decided:
        moved = evolve(moved, event, NOW)
    assert moved.status == moves[name]
    assert moved.last_fact_at == (case.last_fact_at if what in BESIDE else NOW)
    assert moved.status == case.status or moved.status in TRANSITIONS[case.status or 0]


def test_every_command_of_the_contract_has_its_move() -> None:
    assert set(MOVES) == set(COMMANDS.values())
    assert {what.split()[0] for what in SAMPLES} | {"correct", "reach_milestone"} == set(COMMANDS)
    reached = {target for moves in LEGAL.values() for target in moves.values()}
    assert reached == set(Status)


def test_what_is_no_command_of_the_contract_is_not_supported() -> None:
    class Strange(Command):
        type = "strange"

    assert decide(ACCEPTED, Strange(), context()) == Rejected(Rejection.NOT_SUPPORTED)


def test_the_table_is_that_of_the_national_statuses_and_work_on_a_wrong_result() -> None:
    national = {
        1: {2, 3, 5, 7}, 2: {4, 5, 6, 7, 8, 9}, 3: set(), 4: {5, 6, 7, 8, 9}, 5: {2, 4, 7, 8}, 6: {2, 4, 7, 8, 9}, 7: {8, 4},
        8: {4}, 9: {10}, 10: set(),
    }  # fmt: skip
    own = {4: {4}, 9: {4}, 10: {4}}
    assert {int(status): set(following) for status, following in TRANSITIONS.items()} == {
        status: following | own.get(status, set()) for status, following in national.items()
    }


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
    assert evolve(ACCEPTED, rejected, NOW + timedelta(days=1)) is ACCEPTED
