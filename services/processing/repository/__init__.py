"""Processing's SQL: what one batch reads and writes besides the cases themselves, and the reads of HTTP and jobs."""

from __future__ import annotations

from services.processing.repository.answers import find_answer, forget_answers, keep_answer
from services.processing.repository.calendar import (
    Edition,
    Sweep,
    find_countable,
    hold_calendar,
    is_sweep_pending,
    lead_sweep,
    read_almanac,
    read_sweep,
    take_calendar,
    write_almanac,
    write_sweep,
)
from services.processing.repository.cases import Filters, agencies_of, find_case, list_cases
from services.processing.repository.clocks import find_clock, read_clocks, set_clock
from services.processing.repository.history import list_history, read_facts, write_history
from services.processing.repository.notes import (
    ERASED_NOTES,
    HELD_NOTES,
    add_note,
    forget_notes,
    is_erased,
    list_notes,
    lock_notes_under,
    replace_note,
)
from services.processing.repository.notes import Note as KeptNote
from services.processing.repository.serials import allot_serials
from services.processing.repository.timers import find_due, find_due_in_history, find_oldest_due, keep_timers, lead_timers
from services.processing.repository.waiting import Waiting, count_waiting, find_stale, keep_waiting, take_waiting

__all__ = [
    "ERASED_NOTES",
    "HELD_NOTES",
    "Edition",
    "Filters",
    "KeptNote",
    "Sweep",
    "Waiting",
    "add_note",
    "agencies_of",
    "allot_serials",
    "count_waiting",
    "find_answer",
    "find_case",
    "find_clock",
    "find_countable",
    "find_due",
    "find_due_in_history",
    "find_oldest_due",
    "find_stale",
    "forget_answers",
    "forget_notes",
    "hold_calendar",
    "is_erased",
    "is_sweep_pending",
    "keep_answer",
    "keep_timers",
    "keep_waiting",
    "lead_sweep",
    "lead_timers",
    "list_cases",
    "list_history",
    "list_notes",
    "lock_notes_under",
    "read_almanac",
    "read_clocks",
    "read_facts",
    "read_sweep",
    "replace_note",
    "set_clock",
    "take_calendar",
    "take_waiting",
    "write_almanac",
    "write_history",
    "write_sweep",
]
