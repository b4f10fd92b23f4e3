"""What `GET /v1/feeds` answers: how each feed of an agency stands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel

from shared.contracts.events.intake import MissingNumber
from shared.contracts.hotline import EventOutcome
from shared.contracts.words import CallOutcome

Row = Any
"""A row of the driver, by column name."""


class ReportAnswer(BaseModel):
    """The last hour that a source counted itself: what it sent, what was taken of it, and the first less the second."""

    hour_at: AwareDatetime
    events: int
    counted: int | None
    difference: int | None


class CallsAnswer(BaseModel):
    """Calls of a source that ended."""

    answered: int
    abandoned: int
    mean_waiting_seconds: float | None


class FeedAnswer(BaseModel):
    """How one feed stands.

    It is `silent` when nothing was heard for longer than is usual now, by the hours of its mapping; `silent_since` is the last
    event then. `late` events told of calls that were stated already. `missing_numbers` are the first of the numbers that the
    source passed over, with the count that they belong to.
    """

    source: str
    last_event_at: AwareDatetime | None
    expected_silence_seconds: int | None
    silent: bool
    silent_since: AwareDatetime | None
    events: dict[str, int]
    late: int
    missing: int
    missing_numbers: list[MissingNumber]
    reported: ReportAnswer | None
    calls: CallsAnswer


class FeedsAnswer(BaseModel):
    """How the feeds of an agency stand at this moment."""

    agency: str
    at: AwareDatetime
    feeds: list[FeedAnswer]


def feeds_answer(agency: str, now: datetime, feeds: Iterable[Row], calls: Iterable[Row]) -> FeedsAnswer:
    """The answer, of rows of feeds and of their calls."""
    counts: Counter[tuple[str, str]] = Counter()
    waited: Counter[str] = Counter()
    for row in calls:
        counts[row["source"], row["outcome"]] += row["calls"]
        waited[row["source"]] += row["waited_seconds"]
    return FeedsAnswer(
        agency=agency, at=now, feeds=[_feed(row, now, _calls(row["source"], counts, waited)) for row in feeds]
    )  # fmt: skip


def _calls(source: str, counts: Counter[tuple[str, str]], waited: Counter[str]) -> CallsAnswer:
    answered, abandoned = (counts[source, outcome] for outcome in (CallOutcome.ANSWERED, CallOutcome.ABANDONED))
    total = answered + abandoned
    mean = waited[source] / total if total else None
    return CallsAnswer(answered=answered, abandoned=abandoned, mean_waiting_seconds=mean)


def _feed(row: Row, now: datetime, calls: CallsAnswer) -> FeedAnswer:
    silent = _is_silent(row["last_event_at"], row["expected_seconds"], now)
    return FeedAnswer(
        source=row["source"],
        last_event_at=row["last_event_at"],
        expected_silence_seconds=row["expected_seconds"],
        silent=silent,
        silent_since=row["last_event_at"] if silent else None,
        events={outcome.value: row[outcome.value] for outcome in EventOutcome},
        late=row["late"],
        missing=row["missing"],
        missing_numbers=[MissingNumber(**each) for each in json.loads(row["missing_numbers"])],
        reported=_report(row),
        calls=calls,
    )


def _is_silent(last_event_at: datetime | None, expected_seconds: int | None, now: datetime) -> bool:
    if last_event_at is None or expected_seconds is None:
        return False
    return now - last_event_at > timedelta(seconds=expected_seconds)


def _report(row: Row) -> ReportAnswer | None:
    if row["reported_hour_at"] is None:
        return None
    events, counted = row["reported_events"], row["reported_counted"]
    difference = None if counted is None else events - counted
    return ReportAnswer(hour_at=row["reported_hour_at"], events=events, counted=counted, difference=difference)
