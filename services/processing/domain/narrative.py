"""What an officer can read out: the time left in words, and the case's clock in two or three sentences."""

from __future__ import annotations

from typing import Final

from services.processing.domain.clock import ClockState
from services.processing.domain.counting import Count
from services.processing.domain.position import Position, left_until
from services.processing.domain.telling import STOPS, Words, because
from services.processing.domain.timeline import DueChange, Timeline
from services.processing.domain.wording import Text, at, elapsed_span, joined, limit_words, on, plural, working_span
from shared.calendar import LimitUnit, WorkingCalendar, local_date
from shared.contracts.events import (
    CaseCorrected,
    CaseExtended,
    CaseRefused,
    DueDateRecalculated,
    PaymentReceived,
    SupplementReceived,
)
from shared.contracts.words import Kind, Regime, Timeliness

NAMES: Final = {
    Kind.DOSSIER: Text("Hồ sơ", "Dossier"),
    Kind.FEEDBACK: Text("Phản ánh, kiến nghị", "Feedback"),
    Kind.TASK: Text("Nhiệm vụ", "Task"),
}
NO_LIMIT: Final = Text("chưa rõ thời hạn nên không có ngày hẹn trả", "its limit is not known, so it has no due date")
REFUSED: Final = Text("không tính giờ: không được tiếp nhận", "never started: acceptance was refused")
PROVISIONAL: Final = Text(
    "Ngày hẹn là tạm tính, vì lịch nghỉ chưa được công bố đủ.", "The due date is provisional: not all days off are announced."
)


def left_words(position: Position, calendar: WorkingCalendar) -> Text:
    """`còn 2 ngày 3 giờ làm việc`; of a clock that does not run nothing counts down."""
    if position.state is ClockState.NOT_STARTED:
        return REFUSED if position.refused else Text("chưa tính giờ: chưa được tiếp nhận", "not started: not accepted yet")
    if position.state is ClockState.ENDED:
        return _ended(position, calendar)
    if position.state is ClockState.STOPPED:
        return _standing(position, calendar)
    if position.due_at is None:
        return NO_LIMIT
    return _over(position.working_over, calendar) if position.overdue else _left(position, calendar)


def _left(position: Position, calendar: WorkingCalendar) -> Text:
    due_at, stands_at = position.due_at, position.stands_at
    if due_at is None or stands_at is None:
        return NO_LIMIT
    if stands_at >= due_at:
        return Text("đã qua giờ hẹn; quá hạn từ 00:00 ngày mai", "past the appointed hour; overdue from midnight")
    if position.elapsed_left is not None:
        span = elapsed_span(position.elapsed_left)
        return Text(f"còn {span.vi}", f"{span.en} left")
    span = working_span(position.working_left or 0, calendar.hours.microseconds_per_day)
    if position.limit is not None and position.limit.unit == LimitUnit.CALENDAR_DAYS:
        days = (local_date(due_at) - local_date(stands_at)).days
        return Text(f"còn {days} ngày, trong đó {span.vi}", f"{plural(days, 'calendar day')} left, with {span.en}")
    return Text(f"còn {span.vi}", f"{span.en} left")


def _over(working: int | None, calendar: WorkingCalendar) -> Text:
    if not working:
        return Text("quá hạn, chưa qua giờ làm việc nào", "overdue, by no working time yet")
    span = working_span(working, calendar.hours.microseconds_per_day)
    return Text(f"quá hạn {span.vi}", f"overdue by {span.en}")


def _standing(position: Position, calendar: WorkingCalendar) -> Text:
    """What was left when the clock stopped, and what becomes of it."""
    due_at, stands_at = position.due_at, position.stands_at
    stopped = Text("đồng hồ đang dừng", "the clock stands still")
    if due_at is None or stands_at is None:
        return stopped
    if position.regime is Regime.RESTART:
        return joined(stopped, Text("khi hồ sơ đầy đủ sẽ tính lại từ đầu", "counted from the start when complete"), mark="; ")
    if position.regime is Regime.SUBTRACT:
        day = on(local_date(due_at))
        return joined(stopped, Text(f"hạn vẫn là {day.vi}", f"the due date is still {day.en}"), mark="; ")
    if position.overdue:
        return joined(stopped, Text("đã quá hạn trước khi dừng", "it was overdue before that"), mark="; ")
    span = working_span(left_until(due_at, stands_at, calendar) or 0, calendar.hours.microseconds_per_day)
    return joined(stopped, Text(f"khi dừng còn {span.vi}", f"{span.en} were left"), mark="; ")


def _ended(position: Position, calendar: WorkingCalendar) -> Text:
    due_at, ended_at = position.due_at, position.ended_at
    if position.stop_kind is not None:
        return STOPS[position.stop_kind]
    if due_at is None or ended_at is None or position.timeliness in {None, Timeliness.NO_DUE_DATE}:
        return Text("đã có kết quả; không có ngày hẹn trả", "resolved; there was no due date")
    first, last = sorted((local_date(ended_at), local_date(due_at)))
    days = calendar.working_days_between(first, last)
    vi, en = (f" {days} ngày làm việc", f" {plural(days, 'working day')}") if days else ("", "")
    said = {
        Timeliness.EARLY: Text(f"có kết quả sớm{vi} trước hạn", f"resolved{en} early"),
        Timeliness.ON_TIME: Text("có kết quả đúng hạn", "resolved on time"),
        Timeliness.LATE: Text(f"có kết quả quá hạn{vi}", f"resolved{en} late"),
    }
    return said[position.timeliness or Timeliness.ON_TIME]


# --- sentences -------------------------------------------------------------------------------------


def summary_of(
    timeline: Timeline, position: Position, count: Count | None, why: Text | None, calendar: WorkingCalendar, words: Words
) -> Text:
    """Acceptance and promise; what changed it; where the clock stands."""
    if position.accepted_at is None:
        return _before(timeline, position, words)
    first = _promise(position)
    now = _now(position, why, calendar)
    warning = PROVISIONAL if count is not None and count.provisional else None
    return joined(first, _changes(timeline, position), now, _by_law(position), warning)


def _before(timeline: Timeline, position: Position, words: Words) -> Text:
    name = NAMES[position.kind or Kind.DOSSIER]
    refused = timeline.refused
    if refused is not None and isinstance(refused.event, CaseRefused):
        why, when = because(refused.event.reason, words), at(refused.at)
        vi = f"{name.vi} không được tiếp nhận, lúc {when.vi}{why.vi}. Thời hạn không được tính."
        return Text(vi, f"{name.en} was not accepted, at {when.en}{why.en}. No time limit ever ran.")
    vi = f"{name.vi} chưa được tiếp nhận. Thời hạn tính từ khi tiếp nhận hồ sơ đầy đủ."
    return Text(vi, f"{name.en} has not been accepted yet. The limit counts from the acceptance of the complete dossier.")


def _promise(position: Position) -> Text:
    name = NAMES[position.kind or Kind.DOSSIER]
    when = at(position.accepted_at) if position.accepted_at else Text("", "")
    began = Text(
        f"{name.vi} {position.code} được tiếp nhận lúc {when.vi}", f"{name.en} {position.code} was accepted at {when.en}"
    )
    if position.promised_due_at is None:
        return joined(began, Text(f"{NO_LIMIT.vi}.", f"{NO_LIMIT.en}."), mark="; ")
    due = at(position.promised_due_at)
    if position.limit is None:
        return joined(began, Text(f"hạn được giao là {due.vi}.", f"its deadline is {due.en}."), mark="; ")
    limit = limit_words(position.limit)
    said = Text(f"thời hạn {limit.vi}, hẹn trả kết quả lúc {due.vi}.", f"limit {limit.en}, result promised for {due.en}.")
    return joined(began, said, mark="; ")


def _changes(timeline: Timeline, position: Position) -> Text | None:
    """What moved the first promise, in order, and what it is now."""
    said = [_change(change) for change in timeline.changes[1:]]
    if not said or position.due_at is None:
        return None
    due = at(position.due_at)
    now = Text(f"nay hẹn trả lúc {due.vi}.", f"it is now {due.en}.")
    return joined(Text("Hạn đã đổi:", "The due date changed:"), joined(*said, now, mark="; "))


def _change(change: DueChange) -> Text:
    event, when = change.fact.event, on(local_date(change.fact.at))
    if isinstance(event, SupplementReceived) and change.regime is Regime.RESTART:
        return Text(f"tính lại từ đầu khi hồ sơ đầy đủ ({when.vi})", f"counted from the start when complete ({when.en})")
    if isinstance(event, CaseExtended):
        return Text(f"gia hạn có xin lỗi ({when.vi})", f"extended with an apology ({when.en})")
    if isinstance(event, CaseCorrected):
        return Text("sửa thời điểm tiếp nhận", "the moment of acceptance was corrected")
    if isinstance(event, DueDateRecalculated) and change.stop is None:
        return Text("tính lại vì lịch làm việc thay đổi", "counted again because the calendar changed")
    waited = {
        PaymentReceived: Text("chờ nộp tiền", "by the wait for the fee"),
        SupplementReceived: Text("chờ bổ sung hồ sơ", "by the wait for documents"),
    }
    why = waited.get(type(event), Text("đồng hồ dừng", "because the clock stood still"))
    return Text(f"lùi vì {why.vi} đến {when.vi}", f"moved {why.en} until {when.en}")


def _now(position: Position, why: Text | None, calendar: WorkingCalendar) -> Text:
    left = left_words(position, calendar)
    if position.state is ClockState.ENDED:
        return _end(position, left)
    if position.state is ClockState.STOPPED and position.stands_at is not None and why is not None:
        since = at(position.stands_at)
        vi = f"Đồng hồ dừng từ {since.vi} ({why.vi}); {_rest(left.vi)}."
        return Text(vi, f"The clock has stood still since {since.en} ({why.en}); {_rest(left.en)}.")
    if position.due_at is None:
        return Text("Đồng hồ đang chạy, không có hạn.", "The clock runs without a due date.")
    return Text(f"Đồng hồ đang chạy: {left.vi}.", f"The clock runs: {left.en}.")


def _by_law(position: Position) -> Text | None:
    """Late against the commitment may still be within the law, and is told apart."""
    due_at = position.statutory_due_at
    late = position.overdue or position.timeliness is Timeliness.LATE
    if not late or due_at is None or position.stop_kind is not None or position.statutory == position.limit:
        return None
    when = at(due_at)
    if position.statutory_overdue:
        return Text(f"Cũng quá hạn theo luật ({when.vi}).", f"It is past the law's own due date, too ({when.en}).")
    return Text(f"Vẫn trong hạn theo luật ({when.vi}).", f"It is within the law's own due date ({when.en}).")


def _rest(said: str) -> str:
    """Without repeating that it stands still."""
    return said.partition("; ")[2] or said


def _end(position: Position, left: Text) -> Text:
    when = at(position.ended_at) if position.ended_at else Text("", "")
    return Text(f"Kết thúc lúc {when.vi}: {left.vi}.", f"It ended at {when.en}: {left.en}.")
