"""Why the clock ran or stood still, and why a due date is what it is: in words, with the article of law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from services.processing.domain import citations
from services.processing.domain.timeline import DueChange, Fact, Mark
from services.processing.domain.wording import Text, at, joined, limit_words
from shared.calendar import LimitUnit
from shared.contracts.events import (
    CaseAccepted,
    CaseCorrected,
    CaseEvent,
    CaseExtended,
    CaseReopened,
    CaseResolved,
    CaseStopped,
    DueDateRecalculated,
    Limit,
    PaymentReceived,
    PaymentRequested,
    SupplementReceived,
    SupplementRequested,
    WithdrawalRequested,
)
from shared.contracts.words import Kind, Regime, StopKind

Words = Callable[[str, str], str]
"""What a reason's code says in a language, `vi` or `en`."""

Told = tuple[Text, Text | None]
"""Why, and by which article; None where no written law says so."""

STOPS: Final = {
    StopKind.SUSPENDED: Text("tạm dừng xử lý", "work is suspended"),
    StopKind.WITHDRAWN: Text("dừng xử lý vì công dân rút hồ sơ", "stopped because the citizen withdrew"),
    StopKind.TERMINATED: Text("dừng xử lý hẳn", "stopped for good"),
}
STANDSTILLS: Final[dict[type[CaseEvent], Text]] = {
    SupplementRequested: Text("chờ công dân bổ sung, hoàn thiện hồ sơ", "the applicant has to complete the documents"),
    PaymentRequested: Text("chờ công dân thực hiện nghĩa vụ tài chính", "the applicant has to pay"),
    WithdrawalRequested: Text("công dân yêu cầu rút hồ sơ", "the citizen asks to withdraw"),
}
TAKEN: Final = {
    Kind.DOSSIER: Text("đã tiếp nhận hồ sơ đầy đủ", "the complete dossier was accepted"),
    Kind.FEEDBACK: Text("đã tiếp nhận phản ánh, kiến nghị", "the feedback was accepted"),
    Kind.TASK: Text("đã nhận nhiệm vụ", "the task was taken on"),
}
FROM_THE_MOMENT: Final = Text("tính từ đúng thời điểm tiếp nhận", "counted from that moment")
FROM_THE_DAY_AFTER: Final = Text("tính từ ngày tiếp theo", "counted from the day after")
NOTHING: Final = Text("", "")
LATE: Final = Text(" (yêu cầu quá muộn)", " (asked for too late)")
REPEATED: Final = Text(" (yêu cầu quá một lần)", " (asked for more than once)")
AFRESH: Final = Text("hồ sơ đã đầy đủ; thời hạn tính lại từ đầu", "the dossier is complete; the limit is counted from the start")
AWAY: Final = Text("hồ sơ đã đầy đủ; hạn lùi bằng thời gian chờ", "the dossier is complete; the due date moved by the wait")
KEPT: Final = Text(
    "hồ sơ đã đầy đủ; hạn không đổi, thời gian chờ không tính vào thời gian giải quyết",
    "the dossier is complete; the due date stays and the wait is taken off the time used",
)
BY_REGIME: Final = {Regime.RESTART: AFRESH, Regime.EXTEND: AWAY, Regime.SUBTRACT: KEPT}
PAID: Final = Text("công dân đã nộp tiền; đồng hồ chạy tiếp", "the applicant paid; the clock goes on")
RESUMED: Final = Text("hồ sơ được xử lý tiếp; đồng hồ chạy tiếp", "work goes on, and the clock with it")
READY: Final = Text(
    "đã có kết quả, sau đó phải xử lý lại: thời gian này vẫn tính",
    "there was a result that had to be worked on again: this time counts",
)
REOPENED: Final = Text("kết quả phải xử lý lại; hạn không đổi", "the result is worked on again; the due date stays")


def because(code: str, words: Words) -> Text:
    """A reason after a colon."""
    return Text(f": {words(code, 'vi')}", f": {words(code, 'en')}")


def tell_mark(mark: Mark, words: Words) -> Told:
    """Why the clock runs, or stands still, from a mark on."""
    fact, event = mark.fact, mark.fact.event
    if isinstance(event, CaseAccepted):
        return _accepted(fact, event)
    if isinstance(event, SupplementReceived):
        return _supplemented(fact, mark.regime or Regime.RESTART)
    if isinstance(event, CaseStopped):
        return _joined(STOPS[event.stop_kind], because(event.reason, words)), _stop_article(fact, event)
    if isinstance(event, CaseResolved | CaseReopened):
        return READY if isinstance(event, CaseResolved) else REOPENED, _decree("21", fact)
    if type(event) in STANDSTILLS:
        return _standing(fact, words)
    paid = isinstance(event, PaymentReceived)
    return (PAID, _decree("22", fact)) if paid else (RESUMED, None)


def _decree(articles: str, fact: Fact) -> Text | None:
    return citations.decree(articles, fact.event.kind, fact.at)


def _joined(*parts: Text) -> Text:
    return joined(*parts, mark="")


def _accepted(fact: Fact, event: CaseAccepted) -> Told:
    limit = event.committed or event.statutory
    hours = limit is not None and limit.unit == LimitUnit.HOURS
    start = FROM_THE_MOMENT if hours else FROM_THE_DAY_AFTER
    law = citations.civil("147.1" if hours else "147.2")
    return joined(TAKEN[event.kind], start, mark="; "), joined(_law(event, fact), law, mark="; ")


def _law(event: CaseAccepted, fact: Fact) -> Text | None:
    return citations.FEEDBACK if event.kind is Kind.FEEDBACK else _decree("17.3", fact)


def _supplemented(fact: Fact, regime: Regime) -> Told:
    if regime is Regime.SUBTRACT:
        return KEPT, citations.TIME_USED
    return BY_REGIME[regime], _decree("19.4", fact) if regime is Regime.RESTART else None


def _stop_article(fact: Fact, event: CaseStopped) -> Text | None:
    return citations.withdrawal(event.kind, fact.at) if event.stop_kind is StopKind.WITHDRAWN else None


def _standing(fact: Fact, words: Words) -> Told:
    event = fact.event
    why = STANDSTILLS[type(event)]
    if isinstance(event, SupplementRequested):
        late = LATE if event.late else NOTHING
        repeated = REPEATED if event.repeated else NOTHING
        return _joined(why, because(event.reason, words), late, repeated), _decree("11.2.c, 19.4", fact)
    return why, _decree("22", fact) if isinstance(event, PaymentRequested) else citations.withdrawal(event.kind, fact.at)


# --- due dates -------------------------------------------------------------------------------------


def tell_change(change: DueChange, words: Words, moved: Text | None) -> Told:
    """Why the due date is another one; `moved` says by how much a standstill moved it."""
    if change.regime is Regime.RESTART:
        return AFRESH, _decree("19.4", change.fact)
    if change.stop is not None:
        since, until = at(change.stop[0]), at(change.stop[1])
        why = Text(f"đồng hồ dừng từ {since.vi} đến {until.vi}", f"the clock stood still from {since.en} to {until.en}")
        return joined(why, moved, mark="; "), None
    tell: Callable[[Any, Fact, Words], Told] | None = _CHANGES.get(type(change.fact.event))
    return tell(change.fact.event, change.fact, words) if tell else (Text("hạn được đặt lại", "the due date was set anew"), None)


_BY_LAW: Final = Text("theo luật", "by law")


def _first(event: CaseAccepted, fact: Fact, _words: Words) -> Told:
    limit = event.committed or event.statutory
    if limit is None:
        return Text("thời hạn do cơ quan giao việc ấn định", "the deadline was set by who assigned the task"), None
    said = limit_words(limit)
    law = limit_words(event.statutory) if event.statutory else Text("không rõ", "not known")
    whose = Text(f"cam kết; theo luật: {law.vi}", f"committed; by law: {law.en}") if event.committed else _BY_LAW
    why = Text(f"thời hạn {said.vi} ({whose.vi}) kể từ khi tiếp nhận", f"{said.en} ({whose.en}) from the acceptance")
    article = citations.feedback_limit(fact.at) if event.kind is Kind.FEEDBACK else _law(event, fact)
    return why, joined(article, counting_article(limit), mark="; ")


def counting_article(limit: Limit) -> Text:
    """The articles by which a limit of its unit is counted."""
    by_unit = {LimitUnit.HOURS: "147.1", LimitUnit.WORKING_DAYS: "147.2, 148.6", LimitUnit.CALENDAR_DAYS: "147.2, 148.5, 148.6"}
    return citations.civil(by_unit[LimitUnit(limit.unit)])


def _extension(event: CaseExtended, fact: Fact, words: Words) -> Told:
    why = _joined(Text("gia hạn, có văn bản xin lỗi", "extended with an apology"), because(event.reason, words))
    if event.breach:
        late = Text(
            " (vi phạm: ban hành muộn hơn một ngày trước hạn)", " (a breach: issued later than one day before the due date)"
        )
        why = _joined(why, late)
    return why, _decree("19.9", fact)


def _recalculation(_event: DueDateRecalculated, _fact: Fact, _words: Words) -> Told:
    why = Text("lịch ngày làm việc thay đổi, hạn được tính lại", "the calendar changed and the due date was counted again")
    return why, citations.DAYS_OFF


def _correction(event: CaseCorrected, fact: Fact, words: Words) -> Told:
    when = at(event.occurred_at or fact.at)
    why = Text(f"sửa thời điểm tiếp nhận thành {when.vi}", f"the moment of acceptance was corrected to {when.en}")
    return _joined(why, because(event.reason, words)), citations.civil("147.2")


_CHANGES: Final[dict[type[CaseEvent], Callable[[Any, Fact, Words], Told]]] = {
    CaseAccepted: _first,
    CaseExtended: _extension,
    DueDateRecalculated: _recalculation,
    CaseCorrected: _correction,
}
