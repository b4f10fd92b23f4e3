"""The legal clock that explains itself: what ran and what stood still, day by day, with the article that says so.

A pure function of the case's history, the version of its procedure, the calendar and the business time. Whatever happened,
the segments adjoin, their lengths add up to the turnaround and their working time to the working time, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.processing.domain.counting import Count, SkippedDay, Span, count_out, skipped_days
from services.processing.domain.limits import later
from services.processing.domain.narrative import left_words, summary_of
from services.processing.domain.position import Position, make_position
from services.processing.domain.telling import Words, tell_change, tell_mark
from services.processing.domain.timeline import DueChange, Recorded, Timeline, read_timeline
from services.processing.domain.wording import Text, plural
from shared.calendar import LimitUnit, TimeLimit, WorkingCalendar, local_date
from shared.catalogue import LimitVersion
from shared.contracts.events import CaseExtended, Limit

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which the clock ran, or stood still, for one reason. `count` numbers the count that it belongs to.

    The day after the first through the last one belong to it: `counted_days` of them count towards the limit, in its unit,
    and `skipped` names those on which nobody works. Whatever a clock that stands still skips is its own reason.
    """

    from_at: datetime
    to_at: datetime
    running: bool
    count: int
    why: Text
    article: Text | None
    elapsed_microseconds: int
    working_microseconds: int
    counted_days: int
    skipped: tuple[SkippedDay, ...]


@dataclass(frozen=True, slots=True)
class DueDate:
    """Due dates that a fact set; `old_due_at` is the promise before it, and `breach` that it came too late."""

    due_at: datetime | None
    statutory_due_at: datetime | None
    old_due_at: datetime | None
    set_by: str
    event_id: UUID
    at: datetime
    why: Text
    article: Text | None
    breach: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the clock stands and how it came there. Times of work are in microseconds; None where there is none."""

    position: Position
    turnaround_microseconds: int
    working_microseconds_used: int
    segments: tuple[Segment, ...]
    due_dates: tuple[DueDate, ...]
    count: Count | None
    statutory_count: Count | None
    left: Text
    summary: Text

    @property
    def is_provisional(self) -> bool:
        """Whether the due date lies in days of which the days off are not all announced."""
        return any(count.provisional for count in (self.count, self.statutory_count) if count is not None)


def plain_words(code: str, _language: str) -> str:
    """A reason's code as it is."""
    return code


def explain(
    history: Iterable[Recorded],
    version: LimitVersion | None,
    calendar: WorkingCalendar,
    business_now: datetime,
    words: Words = plain_words,
) -> Explanation:
    """Explain the clock of a case: its submission as heard and processing's facts, each source's in order.

    `version` says what becomes of the limit when a supplement comes; `words` turn a reason's code into words.
    """
    timeline = read_timeline(history)
    position = make_position(timeline, version, calendar, business_now)
    segments = tuple(_segments(timeline, position, calendar, words))
    count = _count(timeline, position, calendar, statutory=False)
    statutory = _count(timeline, position, calendar, statutory=True)
    changes = tuple(_due_date(change, calendar, words, position.limit) for change in timeline.changes)
    return Explanation(
        position=position,
        turnaround_microseconds=sum(each.elapsed_microseconds for each in segments),
        working_microseconds_used=sum(each.working_microseconds for each in segments if each.running),
        segments=segments,
        due_dates=changes,
        count=count,
        statutory_count=statutory,
        left=left_words(position, calendar),
        summary=summary_of(timeline, position, count, segments[-1].why if segments else None, calendar, words),
    )


def _segments(timeline: Timeline, position: Position, calendar: WorkingCalendar, words: Words) -> Iterable[Segment]:
    """From mark to mark, kept in order and inside the turnaround whatever was corrected; empty ones are none."""
    accepted_at, end = position.accepted_at, position.to_at
    if accepted_at is None or end is None:
        return
    moments = [accepted_at]
    for mark in timeline.marks[1:]:
        moments.append(min(max(mark.fact.at, moments[-1]), end))
    for mark, start, following in zip(timeline.marks, moments, [*moments[1:], end], strict=True):
        if start == following:
            continue
        first, last = local_date(start), local_date(following)
        why, article = tell_mark(mark, words)
        named = mark.running and (position.limit is None or position.limit.unit == LimitUnit.WORKING_DAYS)
        yield Segment(
            from_at=start,
            to_at=following,
            running=mark.running,
            count=mark.count,
            why=why,
            article=article,
            elapsed_microseconds=(following - start) // _MICROSECOND,
            working_microseconds=calendar.working_microseconds(start, following),
            counted_days=_counted(position.limit, start, following, calendar) if mark.running else 0,
            skipped=skipped_days(first, last, calendar) if named else (),
        )


def _counted(limit: Limit | None, start: datetime, end: datetime, calendar: WorkingCalendar) -> int:
    """Days that count: working days, or all days for a limit in calendar days; a limit in hours counts none."""
    if limit is not None and limit.unit == LimitUnit.HOURS:
        return 0
    first, last = local_date(start), local_date(end)
    plain = limit is not None and limit.unit == LimitUnit.CALENDAR_DAYS
    return (last - first).days if plain else calendar.working_days_between(first, last)


def _count(timeline: Timeline, position: Position, calendar: WorkingCalendar, *, statutory: bool) -> Count | None:
    """The present count day by day. The law's own due date knows no extension."""
    due_at = position.statutory_due_at if statutory else position.due_at
    if due_at is None or timeline.count_from is None:
        return None
    limit = position.statutory if statutory else position.limit
    moves = [each for each in timeline.moves if not (statutory and isinstance(each, datetime))]
    first_due = calendar.due_at(timeline.count_from, _counted_by(limit)) if limit else position.promised_due_at
    stops = _stops(moves, first_due or due_at, limit, calendar)
    extended = any(isinstance(each, datetime) for each in moves)
    return count_out(timeline.count, timeline.count_from, limit, due_at, stops, calendar, extended=extended)


def _stops(moves: Sequence[Span | datetime], due_at: datetime, limit: Limit | None, calendar: WorkingCalendar) -> list[Span]:
    """The standstills whose days are taken out of the count: those that began before the due date of then had passed."""
    unit = _counted_by(limit).unit if limit else LimitUnit.WORKING_DAYS
    stops = []
    for move in moves:
        if isinstance(move, datetime):
            due_at = move
            continue
        begun, due = (move[0], due_at) if unit is LimitUnit.HOURS else (local_date(move[0]), local_date(due_at))
        if begun <= due:
            stops.append(move)
        due_at = later(due_at, unit, move, calendar) or due_at
    return stops


def _counted_by(limit: Limit) -> TimeLimit:
    return TimeLimit(limit.count, LimitUnit(limit.unit))


def _due_date(change: DueChange, calendar: WorkingCalendar, words: Words, limit: Limit | None) -> DueDate:
    event = change.fact.event
    why, article = tell_change(change, words, _moved(change, calendar, limit))
    return DueDate(
        due_at=change.due_at,
        statutory_due_at=change.statutory_due_at,
        old_due_at=change.old_due_at,
        set_by=event.type,
        event_id=change.fact.id,
        at=change.fact.at,
        why=why,
        article=article,
        breach=isinstance(event, CaseExtended) and event.breach,
    )


def _moved(change: DueChange, calendar: WorkingCalendar, limit: Limit | None) -> Text | None:
    """By how much a standstill moved the due date, in the limit's own unit."""
    if change.stop is None or change.old_due_at is None or change.due_at is None:
        return None
    if limit is not None and limit.unit == LimitUnit.HOURS:
        return Text("hạn lùi bằng đúng thời gian ấy", "the due date moved by as long")
    old, new = local_date(change.old_due_at), local_date(change.due_at)
    if limit is not None and limit.unit == LimitUnit.CALENDAR_DAYS:
        days = (new - old).days
        return Text(f"hạn lùi {days} ngày", f"the due date moved by {plural(days, 'calendar day')}")
    days = calendar.working_days_between(old, new)
    return Text(f"hạn lùi {days} ngày làm việc", f"the due date moved by {plural(days, 'working day')}")
