"""What counts as a difference between the books of the services and the topic."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.cli.reconcile import as_text
from deploy.history.reconcile import NOTHING, Books, Difference, Published, compare
from shared.contracts.envelope import Envelope
from shared.contracts.words import Origin

CASE = str(UUID(int=7))
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    headers: list[tuple[str, bytes]]


def published(*facts: tuple[str, str, int]) -> Published:
    """A topic with these (source, type, sequence) of one case."""
    made = Published()
    for source, kind, sequence in facts:
        envelope = Envelope(str(uuid4()), kind, f"/{source}", CASE, "so-test", AT, AT, Origin.LIVE, sequence)
        made.add(Record(envelope.to_headers()))
    return made


TOPIC = (
    ("intake", "case.submitted", 1),
    ("processing", "case.accepted", 1),
    ("processing", "case.step_completed", 2),
    ("notification", "notification.sent", 1),
)


def books(**changes: dict[str, int]) -> dict[str, Books]:
    """Books that agree with TOPIC, but for the changes."""
    rows = {
        "intake": {"stated": 1, "processing": 1},
        "processing": {"intake": 1, "stated": 2},
        "notification": {"intake": 1, "processing": 1, "stated": 1},
        "metrics": {"intake": 1, "processing": 2, "notification": 1},
    }
    return {name: {CASE: NOTHING | row | changes.get(name, {})} for name, row in rows.items()}


def test_books_that_agree_have_no_difference() -> None:
    assert compare(books(), published(*TOPIC), None) == []


def test_a_repetition_on_the_topic_is_no_difference() -> None:
    assert compare(books(), published(*TOPIC, TOPIC[0], TOPIC[2]), None) == []


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"processing": {"stated": 3}}, Difference(CASE, "published by processing", 3, 2)),
        ({"processing": {"intake": 0}}, Difference(CASE, "processing heard of intake", 1, 0)),
        ({"metrics": {"processing": 1}}, Difference(CASE, "metrics heard of processing", 2, 1)),
        ({"notification": {"processing": 2}}, Difference(CASE, "notification heard of processing", 1, 2)),
        ({"notification": {"parked": 1}}, Difference(CASE, "parked at notification", 0, 1)),
        ({"processing": {"waiting": 1}}, Difference(CASE, "waiting at processing", 0, 1)),
    ],
)
def test_each_thing_that_differs_is_named(changes: dict[str, Any], difference: Difference) -> None:
    assert compare(books(**changes), published(*TOPIC), None) == [difference]


def test_a_gap_on_the_topic_is_a_difference() -> None:
    found = compare(books(), published(TOPIC[0], TOPIC[1], ("processing", "case.resolved", 3), TOPIC[3]), None)
    assert Difference(CASE, "published by processing", 2, 0) in found


def test_a_case_that_nobody_published_belongs_to_every_agency() -> None:
    lost = books()
    lost["intake"]["lost"] = NOTHING | {"stated": 1}
    assert compare(lost, published(*TOPIC), "so-test") == [Difference("lost", "published by intake", 1, 0)]
    assert compare(lost, published(*TOPIC), "so-other") == [Difference("lost", "published by intake", 1, 0)]
    assert compare(books(processing={"intake": 0}), published(*TOPIC), "so-other") == []


def document(*differences: Difference) -> dict[str, Any]:
    return {
        "agency": None,
        "stated": {"intake": 1200, "processing": 2, "notification": 1},
        "published": {"intake": 1200, "processing": 2, "notification": 1},
        "in outboxes": dict.fromkeys(("intake", "processing", "notification", "metrics"), 0),
        "cases known": dict.fromkeys(("intake", "processing", "notification", "metrics"), 1),
        "agree": not differences,
        "cases that differ": sorted({each.case_id for each in differences}),
        "differences": [asdict(each) for each in differences],
    }


def test_people_read_the_counts_and_that_all_agree() -> None:
    text = as_text(document())
    assert "1,200" in text
    assert text.endswith("stated = published = seen by every service")


def test_people_read_the_first_cases_that_differ_and_how_many_there_are() -> None:
    text = as_text(document(*(Difference(f"case-{n}", "metrics heard of processing", 2, 1) for n in range(25))))
    assert "cases that differ: 25, in 25 places" in text
    assert "case-0  metrics heard of processing: 1, not 2" in text
    assert "and 5 more" in text
