"""Cases whose explanations are kept as golden files, and what makes the files anew.

`python -m tests.support.explanations` writes every file that differs and names it; look at the differences before you keep
them. The tests only compare.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from services.processing.domain.recalculation import recalculate
from shared.calendar import CalendarDay, DayKind, DayStatus, LimitUnit, load_calendar
from shared.catalogue import load_catalogue
from shared.contracts.words import Channel, Kind, Outcome, Regime, StopKind
from tests.support.lives import Life, ask, catalogue, moment
from tests.support.told import SEED, Told, of_limit, seed, told

FOLDER = Path(__file__).parents[1] / "unit" / "golden" / "explanations"
WORKING, PLAIN, HOURS = LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS, LimitUnit.HOURS
FLAT = re.compile(r"\{([^{}\[\]]*)\}")
SUPPLEMENT = ask.RequestSupplement(documents=("labour-contracts",), reason="missing_documents")
SUSPEND = ask.Stop(stop_kind=StopKind.SUSPENDED, reason="force_majeure")
RESOLVE = ask.Resolve(outcome=Outcome.GRANTED)
STEP = ask.CompleteStep(step="examine")


def plain() -> Told:
    """Nothing happened to it but work."""
    return told(seed("2020-12-17 08:00", "2020-12-17 09:30").do(STEP, "2020-12-18 10:00"), "2020-12-24 10:15")


def resolved_early() -> Told:
    """Resolved one working day early."""
    life = seed("2020-12-17 08:00", "2020-12-17 16:00").do(RESOLVE, "2020-12-30 15:00")
    return told(life.do(ask.Return(channel=Channel.POST), "2021-01-04 09:00"), "2021-02-01 09:00")


def demo() -> Told:
    """A supplement, an extension, and Tết in it."""
    life = seed("2021-01-24 21:10", "2021-01-25 09:30").do(STEP, "2021-01-26 09:00").do(SUPPLEMENT, "2021-01-27 10:00")
    life.do(ask.ReceiveSupplement(), "2021-02-03 14:00").do(STEP, "2021-02-05 08:30")
    extend = ask.Extend(new_due_at=moment("2021-03-02 17:00"), reason="inspection_needed", apology="apology_form_04")
    return told(life.do(extend, "2021-02-22 09:00"), "2021-02-26 14:30")


def demo_resolved() -> Told:
    """The same, to its end."""
    before = demo()
    return told(before.life.do(RESOLVE, "2021-03-02 16:20"), "2021-03-05 09:00")


def demo_waiting() -> Told:
    """The same while the supplement is awaited."""
    life = seed("2021-01-24 21:10", "2021-01-25 09:30").do(STEP, "2021-01-26 09:00").do(SUPPLEMENT, "2021-01-27 10:00")
    return told(life, "2021-02-01 09:00")


def payment() -> Told:
    """The fee was paid after two working days."""
    life = seed("2020-12-17 08:00", "2020-12-17 09:30").do(ask.RequestPayment(amount_vnd=50_000), "2020-12-21 09:00")
    return told(life.do(ask.ReceivePayment(amount_vnd=50_000), "2020-12-23 08:30"), "2020-12-25 17:30")


def payment_waiting() -> Told:
    """The fee has not been paid."""
    life = seed("2020-12-17 08:00", "2020-12-17 09:30").do(ask.RequestPayment(amount_vnd=50_000), "2020-12-21 09:00")
    return told(life, "2021-03-01 09:00")


def payment_resolved_unpaid() -> Told:
    """Resolved while the fee was awaited: that time is not the agency's."""
    return told(payment_waiting().life.do(RESOLVE, "2021-01-11 09:00"), "2021-03-01 09:00")


def suspension() -> Told:
    """Suspended over Tết."""
    life = seed("2021-02-01 08:00", "2021-02-01 09:30").do(SUSPEND, "2021-02-04 10:00")
    return told(life.do(ask.Resume(reason="obstacle_removed"), "2021-02-19 10:00"), "2021-02-22 07:00")


def suspension_after_due() -> Told:
    """Suspended when it was late already: it stays late."""
    life = of_limit("2020-12-14 09:00", 3, WORKING).do(SUSPEND, "2020-12-21 10:00")
    return told(life.do(ask.Resume(reason="obstacle_removed"), "2020-12-23 10:00"), "2020-12-24 09:00")


def suspension_on_due_date() -> Told:
    """Suspended on the due date, and resumed on a day off: due on the next working day."""
    life = of_limit("2020-12-14 09:00", 4, WORKING).do(SUSPEND, "2020-12-18 10:00")
    return told(life.do(ask.Resume(reason="obstacle_removed"), "2020-12-19 10:00"), "2020-12-20 09:00")


def withdrawal() -> Told:
    """The citizen took it back."""
    life = seed("2020-12-17 08:00", "2020-12-17 09:30").do(ask.RequestWithdrawal(), "2020-12-21 10:00")
    stop = ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="applicant_asked")
    return told(life.do(stop, "2020-12-21 14:00"), "2021-01-05 09:00")


def withdrawal_2026() -> Told:
    """The same under the decree of 2025."""
    life = of_limit("2026-02-12 09:00", 5, WORKING).do(ask.RequestWithdrawal(), "2026-02-13 10:00")
    return told(life.do(ask.Resume(reason="withdrawal_taken_back"), "2026-02-23 10:00"), "2026-02-26 09:00")


def hours() -> Told:
    """Twelve hours from the moment."""
    return told(of_limit("2020-12-18 20:15", 12, HOURS, kind=Kind.FEEDBACK), "2020-12-19 02:15")


def hours_stopped() -> Told:
    """Forty-eight hours, with a suspension of five."""
    life = of_limit("2020-12-18 08:00", 48, HOURS).do(SUSPEND, "2020-12-18 10:00")
    return told(life.do(ask.Resume(reason="obstacle_removed"), "2020-12-18 15:00"), "2020-12-21 09:00")


def calendar_days_rolled() -> Told:
    """Twelve calendar days whose last is off."""
    return told(of_limit("2026-04-20 09:00", 12, PLAIN), "2026-04-28 09:00")


def make_up_saturday() -> Told:
    """A Monday off, and the Saturday that makes up for it."""
    return told(of_limit("2024-04-26 09:00", 5, WORKING), "2024-05-03 09:00")


def corrected_acceptance() -> Told:
    """It was accepted a day earlier than was typed in, and the mistake was found after the result."""
    life = seed("2020-12-15 08:00", "2020-12-17 09:30").do(RESOLVE, "2020-12-31 10:00")
    accepted = next(each for each in life.history if each.event.type == "case.accepted")
    correct = ask.Correct(event_id=accepted.id, reason="wrong_date_entered", occurred_at=moment("2020-12-16 09:30"))
    return told(life.do(correct, "2021-01-06 09:00"), "2021-01-07 09:00")


def unknown_limit() -> Told:
    """Nobody knows the limit."""
    life = Life(catalogue(None, None), moment("2020-12-17 08:00")).do(ask.Accept(), "2020-12-17 09:30")
    return told(life, "2020-12-24 10:15")


def supplement_extend() -> Told:
    """The regime that moves the due date by the wait."""
    life = of_limit("2021-03-01 09:00", 10, WORKING, Regime.EXTEND).do(SUPPLEMENT, "2021-03-04 10:00")
    return told(life.do(ask.ReceiveSupplement(), "2021-03-12 15:00"), "2021-03-15 09:00")


def supplement_subtract() -> Told:
    """The regime that leaves the due date."""
    life = of_limit("2021-03-01 09:00", 10, WORKING, Regime.SUBTRACT).do(SUPPLEMENT, "2021-03-04 10:00")
    return told(life.do(ask.ReceiveSupplement(), "2021-03-12 15:00"), "2021-03-15 09:00")


def overdue() -> Told:
    """Late by one working day."""
    return told(of_limit("2020-12-14 09:00", 3, WORKING), "2020-12-18 17:00")


def overdue_within_the_law() -> Told:
    """Late against the commitment only."""
    return told(seed("2020-12-17 08:00", "2020-12-17 09:30"), "2021-01-05 11:00")


def overdue_by_law() -> Told:
    """Late by both, and resolved at last."""
    return told(seed("2020-12-17 08:00", "2020-12-17 09:30").do(RESOLVE, "2021-01-12 09:00"), "2021-01-20 11:00")


def imported() -> Told:
    """What another system did against the rules: a second request for completion, and a late one."""
    life = seed("2021-03-01 08:00", "2021-03-01 09:30").do(SUPPLEMENT, "2021-03-02 10:00")
    life.do(ask.ReceiveSupplement(), "2021-03-03 10:00").do(SUPPLEMENT, "2021-03-10 10:00")
    return told(life.do(ask.ReceiveSupplement(), "2021-03-12 10:00"), "2021-03-15 09:00")


def extended_too_late() -> Told:
    """The apology came on the due date: a breach."""
    life = seed("2020-12-17 08:00", "2020-12-17 09:30")
    extend = ask.Extend(new_due_at=moment("2021-01-06 17:00"), reason="overload", apology="apology_form_04")
    return told(life.do(extend, "2020-12-31 08:00"), "2020-12-31 16:00")


def reopened() -> Told:
    """A wrong result that is worked on again."""
    life = seed("2020-12-17 08:00", "2020-12-17 09:30").do(RESOLVE, "2020-12-22 10:00")
    return told(life.do(ask.Reopen(reason="wrong_result"), "2020-12-24 09:00"), "2020-12-25 09:00")


def recalculated() -> Told:
    """A day off was announced while it was open."""
    known = load_calendar()
    day = CalendarDay(date(2020, 12, 24), DayKind.OFF, "Nghỉ phòng dịch", "Closed against the epidemic", DayStatus.VERIFIED)
    changed = replace(known, days=tuple(sorted((*known.days, day), key=lambda each: each.on)))
    life = seed("2020-12-17 08:00", "2020-12-17 09:30")
    event = recalculate(life.case, life.history, life.version(), changed)
    assert event is not None
    return told(life.state(event, "2020-12-22 20:00"), "2020-12-28 09:00", changed)


def provisional() -> Told:
    """The holidays of the next year are not announced."""
    return told(of_limit("2027-12-20 09:00", 15, WORKING), "2027-12-21 09:00")


def task() -> Told:
    """A task with a deadline of its own."""
    life = Life(catalogue(None, None), moment("2020-11-30 08:00"), Kind.TASK)
    return told(life.do(ask.Accept(due_at=moment("2020-12-15 17:00")), "2020-12-01 09:00"), "2020-12-10 09:00")


def not_accepted() -> Told:
    """Filed at night, nobody has looked yet."""
    return told(Life(load_catalogue(), moment("2020-12-17 22:00"), procedure=SEED), "2020-12-18 06:00")


def refused() -> Told:
    """Acceptance was refused."""
    life = Life(load_catalogue(), moment("2020-12-17 08:00"), procedure=SEED)
    return told(life.do(ask.Refuse(reason="not_ours"), "2020-12-17 10:00"), "2020-12-18 06:00")


STORIES: tuple[Callable[[], Told], ...] = (
    plain, resolved_early, demo, demo_resolved, demo_waiting, payment, payment_waiting, payment_resolved_unpaid, suspension,
    suspension_after_due, suspension_on_due_date, withdrawal, withdrawal_2026, hours, hours_stopped, calendar_days_rolled,
    make_up_saturday, corrected_acceptance, unknown_limit, supplement_extend, supplement_subtract, overdue,
    overdue_within_the_law, overdue_by_law, imported, extended_too_late, reopened, recalculated, provisional, task,
    not_accepted, refused,
)  # fmt: skip


@lru_cache(maxsize=1)
def documents() -> dict[str, str]:
    """Every golden file as it has to be."""
    return {
        f"{story.__name__}.json": FLAT.sub(_one_line, json.dumps(story().answer, ensure_ascii=False, indent=1)) + "\n"
        for story in STORIES
    }


def _one_line(flat: re.Match[str]) -> str:
    """A day or a pair of words takes one line."""
    return "{" + re.sub(r"\n\s*", " ", flat[1].strip()) + "}"


def main() -> int:
    """Write what differs; drop what nobody tells any more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {name}", file=sys.stderr)
    for path in FOLDER.glob("*.json"):
        if path.name not in documents():
            path.unlink()
            print(f"dropped: {path.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
