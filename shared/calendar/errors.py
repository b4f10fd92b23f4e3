"""Everything the calendar can refuse; each error is one sentence: what is wrong and what would be right."""

from __future__ import annotations


class CalendarError(ValueError):
    """Any refusal of the calendar."""


class DaysFileError(CalendarError):
    """A row of the table of days breaks a rule; the sentence names the file, the line and the rule."""


class NaiveInstantError(CalendarError):
    """An instant came without a time zone, so its local date cannot be known."""


class NotADateError(CalendarError):
    """An instant came where a local date is meant; its wall date may be another zone's."""


class LimitError(CalendarError):
    """A time limit that cannot be counted: not positive, of the wrong unit, or beyond year 9999."""


class ReversedIntervalError(CalendarError):
    """An interval ends before it starts."""


class CounterHoursError(CalendarError):
    """Opening hours that are empty, overlapping or out of order."""
