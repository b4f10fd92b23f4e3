"""The fourteen requirements of the domain: each has tests of its number, here or where its services run."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, timedelta
from pathlib import Path
from uuid import uuid4

from services.processing.domain.code import default_pattern
from services.processing.domain.machine import evolve
from services.processing.domain.recalculation import recalculate
from services.processing.domain.timeline import Recorded
from shared.calendar import CalendarDay, DayKind, DayStatus, WorkingCalendar, load_calendar, local_date
from shared.contracts import commands as ask
from shared.contracts import events as fact
from tests.support.life import KNOWN, facts, local, submission, submitted

TESTS = Path(__file__).parents[1]
FILED, ACCEPTED = local("2021-03-01 08:00"), local("2021-03-01 09:30")


def test_each_of_the_fourteen_requirements_has_a_test_that_is_named_after_it() -> None:
    found = defaultdict(list)
    for file in TESTS.glob("*/test_*.py"):
        for number in re.findall(r"^(?:async )?def test_requirement_(\d\d)_", file.read_text(encoding="utf-8"), re.MULTILINE):
            found[int(number)].append(file.name)
    assert set(found) == set(range(1, 15))


def test_requirement_08_the_serials_of_a_code_belong_to_an_agencys_local_day() -> None:
    """At 17:00 UTC it is midnight in Viet Nam: another date, and another range of serials."""
    pattern = default_pattern("ldtbxh-haiphong")
    midnight = local("2020-12-18 00:00").astimezone(UTC)
    before, after = (local_date(at) for at in (midnight - timedelta(microseconds=1), midnight))
    assert (midnight.hour, midnight.day) == (17, 17)
    codes = [pattern.code(before, 1), pattern.code(before, 9999), pattern.code(before, 10000), pattern.code(after, 1)]
    assert [code.removeprefix(f"{pattern.identifier}-") for code in codes] == [
        "201217-0001", "201217-9999", "201217-10000", "201218-0001",
    ]  # fmt: skip


def test_requirement_09_a_changed_calendar_moves_an_open_due_date_by_a_fact_that_keeps_the_old_promise() -> None:
    """The due dates themselves: every vector has its test beside this file."""
    (accepted,) = facts(submitted("t.restart", FILED), ask.Accept(), ACCEPTED)
    case = evolve(submitted("t.restart", FILED), accepted, ACCEPTED)
    history = [Recorded(uuid4(), submission("t.restart", FILED), FILED), Recorded(uuid4(), accepted, ACCEPTED)]
    off = CalendarDay(local("2021-03-10 00:00").date(), DayKind.OFF, "Nghỉ thêm", "One more day off", DayStatus.VERIFIED)
    calendar = load_calendar()
    version = KNOWN.version("t.restart", 1)
    assert recalculate(case, history, version, calendar) is None
    event = recalculate(case, history, version, WorkingCalendar((*calendar.days, off), calendar.hours))
    assert isinstance(event, fact.DueDateRecalculated)
    assert (event.old_due_at, event.new_due_at) == (local("2021-03-15 17:00"), local("2021-03-16 17:00"))
    assert (event.old_statutory_due_at, event.new_statutory_due_at) == (local("2021-03-22 17:00"), local("2021-03-23 17:00"))
    assert evolve(case, event, ACCEPTED).due_at == local("2021-03-16 17:00")
