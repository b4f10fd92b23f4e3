"""The clock explains itself: golden files, words, and the worked due dates day by day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from services.processing.domain.citations import civil, decree, withdrawal
from services.processing.domain.counting import LISTED, DayState
from services.processing.domain.explanation import explain
from services.processing.domain.timeline import CLOCK_FACTS
from services.processing.domain.wording import Text, at, day_off, elapsed_span, limit_words, name_of, on, working_span
from shared.calendar import CalendarDay, DayKind, DayStatus, LimitUnit, load_calendar
from shared.contracts.events import CaseAccepted, CaseCorrected, Limit
from shared.contracts.words import Kind, Timeliness
from tests.support import explanations as stories
from tests.support.explanations import FOLDER, STORIES, documents
from tests.support.lives import Life, ask, catalogue, moment
from tests.support.told import Told, of_limit, told

DAY = 8 * 3_600_000_000
HOUR, MINUTE = DAY // 8, DAY // 480
WORKING, PLAIN = LimitUnit.WORKING_DAYS, LimitUnit.CALENDAR_DAYS


# --- golden files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_case_is_explained_as_its_golden_file_says(story: Callable[[], Told]) -> None:
    name = f"{story.__name__}.json"
    assert documents()[name] == (FOLDER / name).read_text(encoding="utf-8"), "python -m tests.support.explanations"


def test_every_golden_file_has_its_story() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == documents().keys()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_due_date_of_the_stories_is_counted_out_to_the_day(story: Callable[[], Told]) -> None:
    said = story().explanation
    for count in (said.count, said.statutory_count):
        assert count is None or count.complete


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_seconds_of_the_answer_add_up(story: Callable[[], Told]) -> None:
    answer = story().answer
    assert sum(each["elapsed_seconds"] for each in answer["segments"]) == answer["turnaround_seconds"]
    worked = sum(each["working_seconds"] for each in answer["segments"] if each["state"] == "running")
    assert worked == answer["working_seconds_used"]
    assert json.loads(json.dumps(answer)) == answer


# --- the worked due dates ---------------------------------------------------------------------------

VECTORS = [  # accepted, count, unit, due
    ("2020-12-17", 10, WORKING, "2020-12-31"),
    ("2020-12-17", 15, WORKING, "2021-01-08"),
    ("2020-12-17", 7, WORKING, "2020-12-28"),
    ("2021-02-03", 7, WORKING, "2021-02-19"),
    ("2021-04-28", 3, WORKING, "2021-05-05"),
    ("2023-04-27", 5, WORKING, "2023-05-09"),
    ("2022-08-30", 2, WORKING, "2022-09-05"),
    ("2024-04-26", 5, WORKING, "2024-05-07"),
    ("2025-04-25", 5, WORKING, "2025-05-06"),
    ("2025-12-31", 3, WORKING, "2026-01-07"),
    ("2026-01-08", 3, WORKING, "2026-01-12"),
    ("2026-02-12", 5, WORKING, "2026-02-26"),
    ("2026-08-20", 3, WORKING, "2026-08-24"),
    ("2026-08-28", 7, WORKING, "2026-09-11"),
    ("2026-04-20", 12, PLAIN, "2026-05-04"),
    ("2024-02-01", 7, PLAIN, "2024-02-15"),
]


@pytest.mark.parametrize(("accepted", "count", "unit", "due"), VECTORS)
def test_every_worked_due_date_is_listed_day_by_day(accepted: str, count: int, unit: LimitUnit, due: str) -> None:
    said = told(of_limit(f"{accepted} 09:30", count, unit), f"{accepted} 10:00").explanation
    assert said.count is not None
    days = said.count.days
    assert (days[0].date, days[-1].date) == (date.fromisoformat(accepted) + timedelta(days=1), date.fromisoformat(due))
    assert [day.number for day in days if day.state is DayState.COUNTED] == list(range(1, count + 1))
    assert all(day.words.vi and day.words.en for day in days)


def test_a_supplement_on_the_third_working_day_restarts_the_count_from_zero() -> None:
    life = of_limit("2021-03-01 09:00", 10, WORKING).do(stories.SUPPLEMENT, "2021-03-04 10:00")
    said = told(life.do(ask.ReceiveSupplement(), "2021-03-12 09:00"), "2021-03-12 10:00").explanation
    assert said.position.due_at == moment("2021-03-26 17:00")
    assert [each.due_at for each in said.due_dates] == [moment("2021-03-15 17:00"), moment("2021-03-26 17:00")]
    assert said.due_dates[1].old_due_at == said.position.promised_due_at == moment("2021-03-15 17:00")
    assert said.count is not None
    assert (said.count.number, said.count.from_at) == (2, moment("2021-03-12 09:00"))


# --- what is said ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("microseconds", "vi", "en"),
    [
        (2 * DAY + 3 * HOUR, "2 ngày 3 giờ làm việc", "2 days 3 hours of working time"),
        (DAY, "1 ngày làm việc", "1 day of working time"),
        (HOUR + 30 * MINUTE, "1 giờ 30 phút làm việc", "1 hour 30 minutes of working time"),
        (MINUTE - 1, "chưa đến 1 phút làm việc", "less than a minute of working time"),
        (0, "chưa đến 1 phút làm việc", "less than a minute of working time"),
    ],
)
def test_eight_hours_are_a_working_day(microseconds: int, vi: str, en: str) -> None:
    assert working_span(microseconds, DAY) == Text(vi, en)


def test_a_span_by_the_wall_clock_has_days_of_24_hours() -> None:
    assert elapsed_span(29 * HOUR) == Text("1 ngày 5 giờ", "1 day 5 hours")
    assert elapsed_span(0).vi == "chưa đến 1 phút"


def test_what_is_left_is_told_in_working_days_and_hours() -> None:
    life = of_limit("2020-12-14 09:00", 3, WORKING)
    expected = {
        "2020-12-15 11:00": "còn 2 ngày 4 giờ làm việc",
        "2020-12-17 16:15": "còn 45 phút làm việc",
        "2020-12-17 17:00": "đã qua giờ hẹn; quá hạn từ 00:00 ngày mai",
        "2020-12-18 00:00": "quá hạn, chưa qua giờ làm việc nào",
        "2020-12-18 17:00": "quá hạn 1 ngày làm việc",
        "2020-12-20 12:00": "quá hạn 1 ngày làm việc",
    }
    assert {now: told(life, now).explanation.left.vi for now in expected} == expected


def test_days_off_are_named_by_weekday_and_by_the_table() -> None:
    assert day_off(date(2021, 2, 6), None) == Text("Thứ Bảy", "Saturday")
    tet = CalendarDay(
        date(2021, 2, 14), DayKind.OFF, "Tết Nguyên đán (Third Day)", "Third Day", DayStatus.LIBRARY
    )  # fmt: skip
    assert name_of(tet) == Text("Tết Nguyên đán", "Third Day")
    assert day_off(tet.on, tet) == Text("Chủ nhật, Tết Nguyên đán", "Sunday, Third Day")
    assert on(date(2020, 12, 31)) == Text("Thứ Năm 31/12/2020", "Thursday 31 December 2020")
    assert at(moment("2020-12-31 17:00")).vi == "17:00 Thứ Năm 31/12/2020"
    assert limit_words(Limit(count=1, unit="working_days")) == Text("1 ngày làm việc", "1 working day")


def test_tet_in_a_count_is_skipped_by_name() -> None:
    said = stories.demo().explanation
    named = {day.date: day.words.vi for day in said.segments[-1].skipped}
    assert named[date(2021, 2, 12)] == "Tết Nguyên đán"
    assert named[date(2021, 2, 20)] == "Thứ Bảy"
    assert "Tết Nguyên đán" in {day.words.vi for day in said.count.days} if said.count else False


def test_a_make_up_saturday_counts_and_says_for_what() -> None:
    count = stories.make_up_saturday().explanation.count
    assert count is not None
    saturday = next(day for day in count.days if day.date == date(2024, 5, 4))
    assert (saturday.number, saturday.words.vi) == (3, "ngày thứ 3, Làm bù cho 29/4/2024")


def test_articles_are_of_the_law_of_the_day_and_of_the_kind() -> None:
    old, new = moment("2025-06-30 23:59"), moment("2025-07-01 00:00")
    assert decree("19.4", Kind.DOSSIER, old) == Text("Nghị định 61/2018/NĐ-CP, Điều 19.4", "Decree 61/2018/NĐ-CP, art. 19.4")
    renewed = decree("19.4", Kind.DOSSIER, new)
    assert renewed is not None
    assert "118/2025/NĐ-CP" in renewed.vi
    assert decree("19.4", Kind.TASK, old) is None
    assert (withdrawal(Kind.DOSSIER, old), withdrawal(Kind.FEEDBACK, new)) == (None, None)
    assert civil("148.5").en == "Civil Code 2015, art. 148.5"


def test_an_extension_keeps_the_laws_own_due_date_and_names_a_breach() -> None:
    said = stories.extended_too_late().explanation
    assert said.due_dates[-1].breach
    assert "vi phạm" in said.due_dates[-1].why.vi
    assert said.due_dates[-1].statutory_due_at == said.due_dates[0].statutory_due_at
    assert said.statutory_count is not None
    assert said.statutory_count.added == 0


def test_a_correction_replaces_the_time_and_keeps_the_first_promise() -> None:
    said = stories.corrected_acceptance().explanation
    assert said.position.accepted_at == moment("2020-12-16 09:30")
    assert said.position.promised_due_at == moment("2020-12-31 17:00")
    assert said.position.due_at == moment("2020-12-30 17:00")
    assert said.position.timeliness is Timeliness.LATE
    assert [each.set_by for each in said.due_dates] == [CaseAccepted.type, CaseCorrected.type]


def test_the_last_of_several_corrections_holds() -> None:
    life = of_limit("2020-12-17 09:30", 10, WORKING)
    life.filed_at = moment("2020-12-14 08:00")
    accepted = life.history[1].id
    for hour in ("10:00", "10:30"):
        when = moment(f"2020-12-17 {hour}")
        life.do(ask.Correct(event_id=accepted, reason="wrong_date_entered", occurred_at=when), "2020-12-18 09:00")
    assert told(life, "2020-12-18 10:00").explanation.position.accepted_at == moment("2020-12-17 10:30")


def test_a_count_from_the_start_forgets_what_moved_the_one_before() -> None:
    life = of_limit("2021-03-01 09:00", 3, WORKING)
    life.do(ask.Extend(new_due_at=moment("2021-05-31 17:00"), reason="complex", apology="issued"), "2021-03-02 09:00")
    life.do(stories.SUPPLEMENT, "2021-03-03 09:00").do(ask.ReceiveSupplement(), "2021-03-04 09:00")
    life.do(stories.SUSPEND, "2021-03-09 09:00").do(ask.Resume(reason="obstacle_removed"), "2021-03-10 09:00")
    count = told(life, "2021-03-10 10:00").explanation.count
    assert count is not None
    assert (count.due_at, count.complete, count.added) == (moment("2021-03-10 17:00"), True, 1)
    assert count.days[-1].words.en == "the working day on which the clock went on"


def test_segments_adjoin_even_when_a_correction_is_out_of_the_order_of_the_facts() -> None:
    life = of_limit("2021-03-01 09:00", 10, WORKING).do(stories.SUSPEND, "2021-03-03 09:00")
    life.do(ask.Resume(reason="obstacle_removed"), "2021-03-05 09:00").do(stories.RESOLVE, "2021-03-08 09:00")
    wrong = CaseCorrected(
        agency="a", kind=Kind.DOSSIER, event_id=life.history[-1].id, reason="wrong_date_entered",
        corrected="case.resolved", occurred_at=moment("2021-03-04 09:00"), timeliness=Timeliness.EARLY,
    )  # fmt: skip
    said = told(life.state(wrong, "2021-03-10 09:00"), "2021-03-11 09:00").explanation
    ends = [(each.from_at, each.to_at, each.running) for each in said.segments]
    days = [moment(f"2021-03-0{day} 09:00") for day in (1, 3, 4)]
    assert ends == [(days[0], days[1], True), (days[1], days[2], False)]
    assert said.turnaround_microseconds == 3 * 24 * HOUR


def test_a_year_without_announced_days_off_makes_a_due_date_provisional() -> None:
    assert stories.provisional().explanation.is_provisional
    assert stories.provisional().explanation.summary.vi.endswith("vì lịch nghỉ chưa được công bố đủ.")
    assert not stories.plain().explanation.is_provisional


def test_reasons_are_told_in_words() -> None:
    said = stories.demo().explanation
    assert "missing_documents" not in json.dumps(stories.demo().answer)
    assert said.segments[1].why.vi.startswith("chờ công dân bổ sung, hoàn thiện hồ sơ: ")


def test_a_deadline_in_another_century_is_not_stepped_through() -> None:
    life = Life(catalogue(None, None), moment("2020-12-01 08:00"), Kind.TASK)
    said = told(life.do(ask.Accept(due_at=moment("2199-12-02 17:00")), "2020-12-01 09:00"), "2021-01-01 09:00").explanation
    assert said.count is not None
    assert (said.count.days, said.count.complete) == ((), True)
    late = told(of_limit("2000-01-03 09:00", 3, WORKING), "2026-01-05 09:00").explanation
    assert len(late.segments[0].skipped) == LISTED


def test_facts_that_say_nothing_about_time_change_nothing() -> None:
    life = of_limit("2020-12-17 09:30", 10, WORKING).do(stories.STEP, "2020-12-18 10:00")
    life.do(ask.RecordCause(cause="overload"), "2020-12-19 10:00")
    now = moment("2020-12-21 10:00")
    short = [each for each in life.history if each.event.type in CLOCK_FACTS]
    assert len(short) < len(life.history)
    assert explain(short, life.version(), load_calendar(), now) == explain(life.history, life.version(), load_calendar(), now)
