"""Topics, keys, retention and groups are what the integrators were told."""

from __future__ import annotations

import pytest

from shared.contracts.asyncapi import models_on
from shared.contracts.commands import COMMANDS
from shared.contracts.events import EVENTS
from shared.contracts.topics import (
    CASE_COMMANDS,
    CASE_EVENTS,
    CASE_PRIVATE,
    HOTLINE_EVENTS,
    PARTITIONS,
    TOPICS,
    Topic,
    group_of,
)

DAY = 86_400_000
COMPACTED = {
    "cleanup.policy": "compact", "min.compaction.lag.ms": "0", "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": str(30 * DAY), "message.timestamp.type": "LogAppendTime",
}  # fmt: skip
WITHIN_A_DAY = {
    "cleanup.policy": "delete", "retention.ms": str(DAY // 2), "segment.ms": str(DAY // 2),
    "message.timestamp.type": "LogAppendTime",
}  # fmt: skip
FOR_EVER, TWO_WEEKS, A_MONTH = "-1", str(14 * DAY), str(30 * DAY)


@pytest.mark.parametrize(
    ("topic", "key", "settings"),
    [
        ("case-events", "case_id", {"cleanup.policy": "delete", "retention.ms": FOR_EVER}),
        ("case-commands", "case_id", {"cleanup.policy": "delete", "retention.ms": TWO_WEEKS}),
        ("hotline-events", "call or source id", WITHIN_A_DAY),
        ("hotline-receipts", "source/event id", {"cleanup.policy": "delete", "retention.ms": TWO_WEEKS}),
        ("case-private", "case_id/what", COMPACTED | {"max.compaction.lag.ms": str(DAY // 2), "segment.ms": str(DAY // 2)}),
        ("case-events.dlq", "case_id", {"cleanup.policy": "delete", "retention.ms": A_MONTH}),
        ("case-commands.dlq", "case_id", {"cleanup.policy": "delete", "retention.ms": A_MONTH}),
        ("hotline-events.dlq", "call or source id", {"cleanup.policy": "delete", "retention.ms": A_MONTH}),
        ("case-private.dlq", "case_id/what", WITHIN_A_DAY),
    ],
)
def test_a_topic_is_keyed_and_kept_as_agreed(topic: str, key: str, settings: dict[str, str]) -> None:
    (found,) = (each for each in TOPICS if each.name == topic)

    assert (found.key, dict(found.settings)) == (key, settings)


def test_there_are_nine_topics_with_twelve_partitions() -> None:
    assert len({each.name for each in TOPICS}) == len(TOPICS) == 9
    assert PARTITIONS == 12


def test_the_read_side_can_always_be_rebuilt_from_the_topic() -> None:
    assert CASE_EVENTS.settings["cleanup.policy"] == "delete"
    assert CASE_EVENTS.settings["retention.ms"] == FOR_EVER


@pytest.mark.parametrize("topic", [CASE_EVENTS, CASE_COMMANDS, HOTLINE_EVENTS, CASE_PRIVATE], ids=lambda each: each.name)
def test_groups_are_named_after_service_and_topic(topic: Topic) -> None:
    assert group_of("processing", topic) == f"motcua.processing.{topic.name}"
    assert topic.dead_letters == f"{topic.name}.dlq"


def test_the_models_of_a_topic_are_the_registries() -> None:
    assert models_on(CASE_EVENTS) == EVENTS
    assert models_on(CASE_COMMANDS) == COMMANDS
    assert set(models_on(CASE_PRIVATE)) == {"private.contact", "private.note", "private.erased"}


def test_the_types_are_those_that_were_agreed() -> None:
    assert set(EVENTS) == {
        "case.submitted", "case.accepted", "case.refused", "case.step_completed", "case.forwarded", "case.supplement_requested",
        "case.supplement_received", "case.payment_requested", "case.payment_received", "case.extended",
        "case.due_date_recalculated", "case.due_soon", "case.overdue", "case.escalated", "case.withdrawal_requested",
        "case.stopped", "case.resumed", "case.resolved", "case.returned", "case.reopened", "case.corrected",
        "case.cause_recorded", "case.milestone_reached", "case.linked", "case.command_rejected", "notification.sent",
        "notification.delivered", "notification.failed", "notification.undeliverable", "hotline.call_ended", "feed.reported",
        "agency.clock_set", "calendar.changed", "case.duplicate_suspected", "feed.observed", "case.contact_recorded",
        "case.rated",
    }  # fmt: skip
    assert set(COMMANDS) == {
        "accept", "refuse", "complete_step", "forward", "request_supplement", "receive_supplement", "request_payment",
        "receive_payment", "extend", "escalate", "request_withdrawal", "stop", "resume", "resolve", "return", "reopen",
        "correct", "record_cause", "reach_milestone", "link", "record_contact", "rate",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("service", "families"),
    [("intake", {"case", "hotline", "feed"}), ("processing", {"case", "agency", "calendar"}), ("notification", {"notification"})],
)
def test_each_fact_is_stated_by_one_service(service: str, families: set[str]) -> None:
    stated = {kind for kind, event in EVENTS.items() if event.stated_by == service}

    assert {kind.partition(".")[0] for kind in stated} == families
    assert ("case.submitted" in stated) == (service == "intake")
