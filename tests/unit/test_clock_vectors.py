"""Due dates that were worked out by hand with the calendars of eight years, through the acceptance in the state machine."""

from __future__ import annotations

import pytest

from services.processing.domain.machine import evolve
from shared.calendar import LimitUnit
from shared.catalogue import Catalogue
from shared.contracts import commands as ask
from shared.contracts import events as fact
from tests.support.life import days, facts, local, procedure, submitted

VECTORS = (
    ("Thu 2020-12-17", "10 wd", "Thu 2020-12-31"),
    ("Thu 2020-12-17", "15 wd", "Fri 2021-01-08"),
    ("Thu 2020-12-17", "7 wd", "Mon 2020-12-28"),
    ("Wed 2021-02-03", "7 wd", "Fri 2021-02-19"),
    ("Wed 2021-04-28", "3 wd", "Wed 2021-05-05"),
    ("Thu 2023-04-27", "5 wd", "Tue 2023-05-09"),
    ("Tue 2022-08-30", "2 wd", "Mon 2022-09-05"),
    ("Fri 2024-04-26", "5 wd", "Tue 2024-05-07"),
    ("Fri 2025-04-25", "5 wd", "Tue 2025-05-06"),
    ("Wed 2025-12-31", "3 wd", "Wed 2026-01-07"),
    ("Thu 2026-01-08", "3 wd", "Mon 2026-01-12"),
    ("Thu 2026-02-12", "5 wd", "Thu 2026-02-26"),
    ("Thu 2026-08-20", "3 wd", "Mon 2026-08-24"),
    ("Fri 2026-08-28", "7 wd", "Fri 2026-09-11"),
    ("Mon 2026-04-20", "12 days", "Mon 2026-05-04"),
    ("Thu 2024-02-01", "7 days", "Thu 2024-02-15"),
)
"""Accepted on, limit in working days or in days, due on."""
HOURS = ("00:00", "07:00", "14:59", "15:00", "16:00", "17:01", "23:59")
"""Whenever on a day it is accepted: that day is not counted (Civil Code 2015, art. 147.2), and 15:00 is of the hand-over."""
RESTARTED = "t.vector"


def known(limit: str) -> Catalogue:
    """One procedure with this limit."""
    count, _, unit = limit.partition(" ")
    of = days(int(count), LimitUnit.WORKING_DAYS if unit == "wd" else LimitUnit.CALENDAR_DAYS)
    return Catalogue({RESTARTED: procedure(RESTARTED, of)}, {RESTARTED: "other"}, {})


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize(("accepted", "limit", "due"), VECTORS)
def test_an_accepted_dossier_is_due_on_the_day_that_was_worked_out_by_hand(
    accepted: str, limit: str, due: str, hour: str
) -> None:
    at = local(f"{accepted[4:]} {hour}")
    assert f"{at:%a}" == accepted[:3]
    (event,) = facts(submitted(RESTARTED, at), ask.Accept(), at, catalogue=known(limit))
    assert isinstance(event, fact.CaseAccepted)
    assert event.due_at is not None
    assert f"{event.due_at:%a %Y-%m-%d %H:%M}" == f"{due} 17:00"
    assert evolve(submitted(RESTARTED, at), event, at).due_at == event.due_at


def test_a_dossier_that_was_completed_late_in_its_limit_is_due_a_whole_limit_later() -> None:
    """Accepted on 01/03, 10 working days, due on 15/03; asked on the third working day, complete on 12/03, due on 26/03."""
    catalogue = known("10 wd")
    case = submitted(RESTARTED, local("2021-03-01 08:00"))
    steps = (
        ("2021-03-01 09:00", ask.Accept(), "Mon 2021-03-15"),
        ("2021-03-04 09:00", ask.RequestSupplement(documents=("request",), reason="incomplete"), "Mon 2021-03-15"),
        ("2021-03-12 09:00", ask.ReceiveSupplement(), "Fri 2021-03-26"),
    )
    for at, command, due in steps:
        for event in facts(case, command, local(at), catalogue=catalogue):
            case = evolve(case, event, local(at))
        assert case.due_at is not None
        assert f"{case.due_at:%a %Y-%m-%d}" == due
