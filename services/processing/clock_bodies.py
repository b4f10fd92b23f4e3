"""What `GET …/cases/{id}/clock` answers: the clock of a case, and why it stands where it stands."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from services.processing.bodies import Answered
from services.processing.domain.case import Case
from services.processing.domain.counting import Count, Day, SkippedDay
from services.processing.domain.explanation import DueDate, Explanation, Segment
from services.processing.domain.wording import Text
from shared.contracts.events import Limit
from shared.contracts.words import ClockMode, Regime, Timeliness

Time = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
SECOND = 1_000_000


class Words(Answered):
    """The same in Vietnamese and in English."""

    vi: str
    en: str


class SkippedBody(Answered):
    """A day of a running clock on which nobody works, and why."""

    date: dt.date
    vi: str
    en: str


class SegmentBody(Answered):
    """A time in which the clock ran, or stood still, for one reason.

    The segments adjoin, and their seconds add up to the turnaround. The days after the first through the last one belong to
    it: `counted_days` of them count, in the limit's unit. `count` is the number of the count: a completion starts a new one.
    """

    from_at: Time = Field(serialization_alias="from")
    to_at: Time = Field(serialization_alias="to")
    state: str
    count: int
    why: Words
    article: Words | None
    elapsed_seconds: float
    working_seconds: float
    counted_days: int
    skipped: list[SkippedBody]


class DueDateBody(Answered):
    """Due dates, what set them, when and why; `old_due_at` is the promise before, `breach` an apology that came too late."""

    due_at: Time | None
    statutory_due_at: Time | None
    old_due_at: Time | None
    set_by: str
    event_id: UUID
    at: Time
    why: Words
    article: Words | None
    breach: bool


class DayBody(Answered):
    """One day of the count. `number` is its place in the limit; `state` is counted, off, stopped, added or rolled."""

    date: dt.date
    state: str
    number: int | None
    vi: str
    en: str


class CountBody(Answered):
    """The due date day by day.

    `counted` days of the limit, and `added` ones after it. `complete`: the limit is counted out exactly. A limit in hours has
    no days; `stopped_seconds` were added to it. `provisional`: not all days off in it are announced yet.
    """

    number: int
    from_at: Time = Field(serialization_alias="from")
    limit: Limit | None
    due_at: Time
    counted: int
    added: int
    stopped_seconds: float
    complete: bool
    provisional: bool
    days: list[DayBody]


class CaseClockBody(Answered):
    """Where a case's legal clock stands, and why. Working seconds: 8 hours make a working day of the usual counter.

    `summary` can be read out. `left` says what is left or since when it is overdue; its figures, and `working_seconds_left`,
    are there only while the clock runs. `promised_due_at` is the first appointment, `due_dates` are all of them.
    `turnaround_seconds` and `working_seconds_used` end with the clock; the latter without standstills.
    """

    case_id: UUID
    code: str | None
    state: str
    summary: Words
    left: Words
    mode: ClockMode
    business_time: Time
    stands_at: Time | None
    procedure_version: int | None
    committed: Limit | None
    statutory: Limit | None
    decision: str | None
    assumed: bool
    regime: Regime | None
    accepted_at: Time | None
    ended_at: Time | None
    promised_due_at: Time | None
    due_at: Time | None
    statutory_due_at: Time | None
    hand_over_by: Time | None
    answer_by: Time | None
    until: Time | None
    duty: str | None
    duty_by: Time | None
    timeliness: Timeliness | None
    statutory_timeliness: Timeliness | None
    overdue: bool
    statutory_overdue: bool
    due_soon: bool
    provisional: bool
    turnaround_seconds: float
    working_seconds_used: float
    working_seconds_left: float | None
    segments: list[SegmentBody]
    due_dates: list[DueDateBody]
    count: CountBody | None
    statutory_count: CountBody | None


def clock_body(
    case_id: UUID, case: Case, mode: ClockMode, said: Explanation, decision: str | None = None, *, assumed: bool = False
) -> CaseClockBody:
    """The answer. `decision` set the limits, as far as the catalogue knows; `assumed` ones are marked."""
    position = said.position
    left = position.working_left
    return CaseClockBody(
        case_id=case_id,
        code=position.code,
        state=position.state,
        summary=_words(said.summary),
        left=_words(said.left),
        mode=mode,
        business_time=position.business_now,
        stands_at=position.stands_at,
        procedure_version=case.procedure_version,
        committed=position.committed,
        statutory=position.statutory,
        decision=decision,
        assumed=assumed,
        regime=position.regime,
        accepted_at=position.accepted_at,
        ended_at=position.ended_at,
        promised_due_at=position.promised_due_at,
        due_at=position.due_at,
        statutory_due_at=position.statutory_due_at,
        hand_over_by=position.hand_over_by,
        answer_by=case.answer_by,
        until=case.until,
        duty=case.duty,
        duty_by=case.duty_by,
        timeliness=position.timeliness,
        statutory_timeliness=position.statutory_timeliness,
        overdue=position.overdue,
        statutory_overdue=position.statutory_overdue,
        due_soon=position.due_soon,
        provisional=said.is_provisional,
        turnaround_seconds=said.turnaround_microseconds / SECOND,
        working_seconds_used=said.working_microseconds_used / SECOND,
        working_seconds_left=left / SECOND if left is not None else None,
        segments=[_segment(each) for each in said.segments],
        due_dates=[_due_date(each) for each in said.due_dates],
        count=_count(said.count),
        statutory_count=_count(said.statutory_count),
    )


def _words(text: Text) -> Words:
    return Words(vi=text.vi, en=text.en)


def _segment(segment: Segment) -> SegmentBody:
    return SegmentBody(
        from_at=segment.from_at,
        to_at=segment.to_at,
        state="running" if segment.running else "stopped",
        count=segment.count,
        why=_words(segment.why),
        article=_words(segment.article) if segment.article else None,
        elapsed_seconds=segment.elapsed_microseconds / SECOND,
        working_seconds=segment.working_microseconds / SECOND,
        counted_days=segment.counted_days,
        skipped=[_skipped(each) for each in segment.skipped],
    )


def _skipped(day: SkippedDay) -> SkippedBody:
    return SkippedBody(date=day.date, vi=day.words.vi, en=day.words.en)


def _due_date(due: DueDate) -> DueDateBody:
    return DueDateBody(
        due_at=due.due_at,
        statutory_due_at=due.statutory_due_at,
        old_due_at=due.old_due_at,
        set_by=due.set_by,
        event_id=due.event_id,
        at=due.at,
        why=_words(due.why),
        article=_words(due.article) if due.article else None,
        breach=due.breach,
    )


def _count(count: Count | None) -> CountBody | None:
    if count is None:
        return None
    return CountBody(
        number=count.number,
        from_at=count.from_at,
        limit=count.limit,
        due_at=count.due_at,
        counted=count.counted,
        added=count.added,
        stopped_seconds=count.stopped_microseconds / SECOND,
        complete=count.complete,
        provisional=count.provisional,
        days=[_day(each) for each in count.days],
    )


def _day(day: Day) -> DayBody:
    return DayBody(date=day.date, state=day.state, number=day.number, vi=day.words.vi, en=day.words.en)
