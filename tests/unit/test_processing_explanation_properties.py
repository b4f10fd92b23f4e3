"""Whatever happens to a case, its clock explains itself: checked on random lives that the machine allows."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.processing.domain.clock import ClockState
from services.processing.domain.counting import DayState
from services.processing.domain.explanation import Explanation, explain
from shared.calendar import LimitUnit, load_calendar, local_date
from shared.contracts.commands import Command
from shared.contracts.events import CaseExtended
from shared.contracts.words import Channel, Kind, Outcome, Regime, Status, StopKind
from tests.support.lives import Life, ask, catalogue, moment

CALENDAR = load_calendar()
MICROSECOND = timedelta(microseconds=1)
LIMITS = st.one_of(
    st.none(),
    st.tuples(st.integers(1, 30), st.sampled_from([LimitUnit.WORKING_DAYS, LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS])),
    st.tuples(st.integers(1, 200), st.just(LimitUnit.HOURS)),
)
STARTS = st.timedeltas(timedelta(0), timedelta(days=2700)).map(lambda since: moment("2019-12-01") + since)
GAPS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(hours=8)),
    st.timedeltas(timedelta(0), timedelta(days=4)),
    st.integers(0, 20).map(lambda days: timedelta(days=days)),
)
SUPPLEMENT, PAYMENT = ask.RequestSupplement(documents=("a",), reason="missing_documents"), ask.RequestPayment(amount_vnd=1000)
SUSPEND = ask.Stop(stop_kind=StopKind.SUSPENDED, reason="force_majeure")
TERMINATE = ask.Stop(stop_kind=StopKind.TERMINATED, reason="terminated")
RESUME, WITHDRAW, REOPEN = ask.Resume(reason="goes_on"), ask.RequestWithdrawal(), ask.Reopen(reason="wrong_result")
RESOLVE, RETURN, STEP = ask.Resolve(outcome=Outcome.GRANTED), ask.Return(channel=Channel.POST), ask.CompleteStep(step="examine")
WORK = (STEP, ask.Forward(to_unit="labour"), SUPPLEMENT, PAYMENT, WITHDRAW, SUSPEND, TERMINATE, RESOLVE)
FITTING: dict[int, tuple[Command, ...]] = {
    Status.REGISTERED: (ask.Accept(), ask.Accept(), SUPPLEMENT, WITHDRAW, ask.Refuse(reason="incomplete")),
    Status.ACCEPTED: WORK,
    Status.REFUSED: (ask.Accept(),),
    Status.IN_PROCESS: WORK,
    Status.SUPPLEMENT_REQUESTED: (ask.ReceiveSupplement(), ask.ReceiveSupplement(), ask.Accept(), WITHDRAW, TERMINATE),
    Status.PAYMENT_REQUESTED: (ask.ReceivePayment(amount_vnd=1000), RESOLVE, WITHDRAW, TERMINATE),
    Status.WITHDRAWAL_REQUESTED: (RESUME, ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="withdrawn")),
    Status.STOPPED: (RESUME, STEP),
    Status.RESOLVED: (RETURN, REOPEN),
    Status.RETURNED: (REOPEN, RETURN),
}
"""What mostly leads on from each status."""


@st.composite
def lives(draw: st.DrawFn, length: int = 12) -> Life:
    """A life: mostly accepted soon, then one thing after another; what is illegal is not carried out."""
    committed, statutory = draw(LIMITS), draw(LIMITS)
    if committed and statutory and committed[1] is statutory[1]:
        committed, statutory = min(committed, statutory), max(committed, statutory)
    kind = draw(st.sampled_from([Kind.DOSSIER, Kind.DOSSIER, Kind.FEEDBACK, Kind.TASK]))
    at = draw(STARTS)
    life = Life(catalogue(committed, statutory, draw(st.sampled_from(Regime))), at, kind)
    if draw(st.integers(0, 9)):
        at += draw(GAPS)
        due_at = at + draw(GAPS) + timedelta(hours=1) if kind is Kind.TASK and draw(st.booleans()) else None
        life.do(ask.Accept(due_at=due_at), at)
    for _ in range(draw(st.integers(0, length))):
        at += draw(GAPS)
        life.attempt(draw(commands(life, at)), at)
    return life


@st.composite
def commands(draw: st.DrawFn, life: Life, at: datetime) -> Command:
    """Mostly what fits; an extension and a correction at any time."""
    choice = draw(st.integers(0, 9))
    if choice == 0:
        return ask.Extend(new_due_at=(life.case.due_at or at) + draw(GAPS), reason="verification", apology="issued")
    if choice == 1:
        wrong = draw(st.sampled_from(life.history))
        return ask.Correct(event_id=wrong.id, reason="typing_error", occurred_at=wrong.occurred_at + draw(GAPS) - draw(GAPS))
    return draw(st.sampled_from(FITTING[life.case.status or 1]))


def explained(life: Life, now: datetime) -> Explanation:
    return explain(life.history, life.version(), CALENDAR, now)


NOWS = GAPS.map(lambda gap: gap - timedelta(days=2))


@settings(max_examples=60, deadline=None)
@given(life=lives(), gap=NOWS)
def test_segments_adjoin_and_add_up_to_the_turnaround_to_the_microsecond(life: Life, gap: timedelta) -> None:
    said = explained(life, life.history[-1].occurred_at + gap)
    position, segments = said.position, said.segments
    if life.case.accepted_at is None:
        assert (segments, position.state, said.turnaround_microseconds) == ((), ClockState.NOT_STARTED, 0)
        return
    assert position.accepted_at == life.case.accepted_at
    assert position.to_at is not None
    assert said.turnaround_microseconds == (position.to_at - life.case.accepted_at) // MICROSECOND
    assert sum(each.elapsed_microseconds for each in segments) == said.turnaround_microseconds
    worked = CALENDAR.working_microseconds(life.case.accepted_at, position.to_at)
    assert sum(each.working_microseconds for each in segments) == worked
    ends = [life.case.accepted_at, *(each.to_at for each in segments)]
    assert ends[:-1] == [each.from_at for each in segments]
    assert ends[-1] == position.to_at
    assert all(each.from_at < each.to_at for each in segments)


@settings(max_examples=60, deadline=None)
@given(life=lives(), gap=NOWS)
def test_the_clock_says_what_the_machine_keeps(life: Life, gap: timedelta) -> None:
    said, case = explained(life, life.history[-1].occurred_at + gap), life.case
    position = said.position
    assert (position.due_at, position.statutory_due_at) == (case.due_at, case.statutory_due_at)
    if case.accepted_at is None:
        return
    if said.due_dates:
        assert (said.due_dates[-1].due_at, said.due_dates[-1].statutory_due_at) == (case.due_at, case.statutory_due_at)
        assert position.promised_due_at == said.due_dates[0].due_at
    if said.count is not None:
        assert said.count.from_at == case.clock_from
    ended = case.resolved_at is not None or case.stop_kind in {StopKind.WITHDRAWN, StopKind.TERMINATED}
    assert (position.state is ClockState.ENDED) == ended
    if case.resolved_at is not None:
        assert position.ended_at == case.resolved_at
        assert position.timeliness == _stated(life)
    elif not ended:
        assert (position.state is ClockState.STOPPED) == (case.stopped_at is not None)
        assert position.state is not ClockState.STOPPED or position.stands_at == case.stopped_at


def _stated(life: Life) -> str:
    due_on = local_date(life.case.due_at) if life.case.due_at else None
    assert life.case.resolved_at is not None
    return CALENDAR.timeliness(due_on, life.case.resolved_at).value


@settings(max_examples=60, deadline=None)
@given(life=lives(), gap=NOWS)
def test_the_days_of_the_count_are_the_limit(life: Life, gap: timedelta) -> None:
    said = explained(life, life.history[-1].occurred_at + gap)
    for count, limit in ((said.count, said.position.limit), (said.statutory_count, said.position.statutory)):
        if count is None:
            continue
        assert count.limit == limit
        assert count.complete
        extended = any(isinstance(each.event, CaseExtended) for each in life.history)
        if limit is None or limit.unit == LimitUnit.HOURS:
            continue
        assert [day.number for day in count.days if day.state is DayState.COUNTED] == list(range(1, limit.count + 1))
        assert [day.date for day in count.days] == _days(local_date(count.from_at), local_date(count.due_at))
        assert extended or count.added == 0 or any(not each.running for each in said.segments)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]


@settings(max_examples=60, deadline=None)
@given(life=lives(), gap=NOWS)
def test_running_segments_of_the_last_count_hold_the_days_of_the_count(life: Life, gap: timedelta) -> None:
    said = explained(life, life.history[-1].occurred_at + gap)
    count, limit, to_at = said.count, said.position.limit, said.position.to_at
    if count is None or to_at is None or limit is None or limit.unit == LimitUnit.HOURS:
        return
    stayed = life.version() is not None and life.version().supplement.regime is Regime.SUBTRACT  # type: ignore[union-attr]
    if stayed or count.added or said.position.state is ClockState.STOPPED:
        return
    until = min(local_date(to_at), local_date(count.due_at))
    listed = sum(day.state is DayState.COUNTED and day.date <= until for day in count.days)
    last = [each for each in said.segments if each.running and each.count == count.number]
    if said.position.state is ClockState.ENDED and said.segments and not said.segments[-1].running:
        return
    beyond = [day for each in last for day in _days(local_date(each.from_at), local_date(each.to_at)) if day > until]
    plain = limit.unit == LimitUnit.CALENDAR_DAYS
    late = len(beyond) if plain else sum(CALENDAR.is_working_day(day) for day in beyond)
    rolled = sum(day.state is DayState.ROLLED or (plain and day.state is DayState.OFF) for day in count.days if day.date <= until)
    assert sum(each.counted_days for each in last) == listed + late + rolled


@settings(max_examples=60, deadline=None)
@given(life=lives(), gap=NOWS)
def test_a_clock_that_does_not_run_counts_nothing_down(life: Life, gap: timedelta) -> None:
    said = explained(life, life.history[-1].occurred_at + gap)
    position = said.position
    if position.state is not ClockState.RUNNING:
        assert (position.working_left, position.working_over, position.elapsed_left) == (None, None, None)
        later = explained(life, life.history[-1].occurred_at + timedelta(days=900))
        assert later.left == said.left
    assert said.summary.vi.strip()
    assert said.summary.en.strip()
    assert all(each.why.vi and each.why.en for each in said.segments)


@settings(max_examples=60, deadline=None)
@given(life=lives())
def test_every_status_has_its_state_of_the_clock(life: Life) -> None:
    state, status = explained(life, life.history[-1].occurred_at).position.state, life.case.status
    if life.case.accepted_at is None:
        return
    expected = {
        Status.ACCEPTED: ClockState.RUNNING,
        Status.IN_PROCESS: ClockState.RUNNING,
        Status.SUPPLEMENT_REQUESTED: ClockState.STOPPED,
        Status.PAYMENT_REQUESTED: ClockState.STOPPED,
        Status.WITHDRAWAL_REQUESTED: ClockState.STOPPED,
        Status.RESOLVED: ClockState.ENDED,
        Status.RETURNED: ClockState.ENDED,
    }
    if status == Status.STOPPED:
        assert state is (ClockState.STOPPED if life.case.stop_kind == StopKind.SUSPENDED else ClockState.ENDED)
    else:
        assert state is expected[Status(status or 0)]


@settings(max_examples=60, deadline=None)
@given(life=lives())
def test_the_same_history_is_explained_in_the_same_way(life: Life) -> None:
    now = life.history[-1].occurred_at + timedelta(days=1)
    assert explained(life, now) == explained(life, now)
