"""Which channel a message takes, and when it is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.notification.domain.ledger import MessageStatus
from services.notification.domain.routing import NOBODY, Reach, Route, Way, choose_route, next_attempt_at, ways_after
from shared.contracts.private import Contact
from shared.contracts.words import Origin

EMAIL = Way("email", "email", simulated=False)
FILE = Way("file", None, simulated=True)
BY_EMAIL = Reach(frozenset({"email"}), "en")
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("origin", "reach", "ways", "route"),
    [
        (Origin.LIVE, BY_EMAIL, [EMAIL, FILE], Route(MessageStatus.PENDING, "email")),
        (Origin.LIVE, NOBODY, [EMAIL, FILE], Route(MessageStatus.PENDING, "file")),
        (Origin.LIVE, NOBODY, [EMAIL], Route(MessageStatus.UNDELIVERABLE, reason="no_contact")),
        (Origin.LIVE, None, [EMAIL, FILE], Route(MessageStatus.WAITING)),
        (Origin.LIVE, None, [FILE], Route(MessageStatus.WAITING)),
        (Origin.LIVE, None, [], Route(MessageStatus.UNDELIVERABLE, reason="no_channel")),
        (Origin.LIVE, BY_EMAIL, [], Route(MessageStatus.UNDELIVERABLE, reason="no_channel")),
        (Origin.REPLAY, None, [EMAIL, FILE], Route(MessageStatus.PENDING, "file")),
        (Origin.REPLAY, BY_EMAIL, [EMAIL, FILE], Route(MessageStatus.PENDING, "file")),
        (Origin.REPLAY, BY_EMAIL, [EMAIL], Route(MessageStatus.UNDELIVERABLE, reason="no_channel")),
    ],
)
def test_the_route_follows_the_order_of_wish(origin: Origin, reach: Reach | None, ways: list[Way], route: Route) -> None:
    assert choose_route(origin, reach, ways) == route


def test_a_failed_channel_falls_back_on_those_behind_it() -> None:
    assert ways_after("email", [EMAIL, FILE]) == [FILE]
    assert ways_after("file", [EMAIL, FILE]) == []


def test_a_way_takes_its_own_field_of_the_contact() -> None:
    contact = Contact(name="Nguyễn Văn A", email="a@example.vn")
    assert EMAIL.address_of(contact) == "a@example.vn"
    assert EMAIL.address_of(Contact(phone="0912345678")) is None
    assert FILE.address_of(contact) is None


def test_the_wait_doubles_up_to_an_hour() -> None:
    waits = [(next_attempt_at(NOW, attempts) - NOW).total_seconds() for attempts in range(1, 13)]
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]


def test_a_message_of_twelve_attempts_is_tried_for_four_hours() -> None:
    waits = [next_attempt_at(NOW, attempts) - NOW for attempts in range(1, 12)]
    assert timedelta(hours=3) < sum(waits, timedelta()) < timedelta(hours=5)


def test_a_very_large_number_of_attempts_does_not_overflow() -> None:
    assert next_attempt_at(NOW, 1_000_000) - NOW == timedelta(hours=1)
