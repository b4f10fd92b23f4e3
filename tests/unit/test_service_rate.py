"""How often a client may ask, who counts as one client, and that neither costs memory for ever."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from shared.service.callers import Callers
from shared.service.rate import Rate, Whose


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def near(wait: float) -> tuple[Whose, Any]:
    """The refusal of a client, to a rounding error."""
    return Whose.CLIENT, pytest.approx(wait)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_client_may_use_its_minute_at_once_and_then_waits_for_the_next_question(watch: Watch) -> None:
    rate = Rate(each=6, everybody=1000, clock=watch)
    assert [rate.ask("a") for _ in range(6)] == [None] * 6
    assert rate.ask("a") == near(10.0)
    watch.now += 9.9
    assert rate.ask("a") == near(0.1)
    watch.now += 0.1
    assert rate.ask("a") is None
    assert rate.ask("a") is not None


def test_one_client_does_not_use_up_what_another_may_ask(watch: Watch) -> None:
    rate = Rate(each=2, everybody=1000, clock=watch)
    assert [bool(rate.ask("a")) for _ in range(4)] == [False, False, True, True]
    assert rate.ask("b") is None


def test_all_clients_together_have_a_limit_of_their_own(watch: Watch) -> None:
    rate = Rate(each=5, everybody=20, clock=watch)
    answers = [rate.ask(f"client {number}") for number in range(30)]
    assert answers[:20] == [None] * 20
    assert {answer.whose for answer in answers[20:] if answer} == {Whose.SERVICE}
    assert len(answers[20:]) == 10


def test_a_refused_question_costs_nothing(watch: Watch) -> None:
    """Neither its client's next question, nor a place in memory."""
    rate = Rate(each=1, everybody=2, clock=watch)
    rate.ask("a")
    for number in range(1000):
        rate.ask("a")
        watch.now += 0.001
        rate.ask(f"other {number}")
    assert len(rate) <= 3
    watch.now += 60
    assert rate.ask("a") is None


def test_memory_is_bounded_by_what_all_together_may_ask_however_many_addresses_come(watch: Watch) -> None:
    rate, most = Rate(each=10, everybody=100, clock=watch), 0
    for number in range(20_000):
        rate.ask(str(number))
        watch.now += 0.05
        most = max(most, len(rate))
    assert most <= 200


def test_who_asks_no_more_is_forgotten(watch: Watch) -> None:
    rate = Rate(each=10, everybody=1000, clock=watch)
    for number in range(500):
        rate.ask(str(number))
    watch.now += 61
    for number in range(500):
        rate.ask("the only one" if number else "another")
        watch.now += 7
    assert len(rate) == 1


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from("abc")), max_size=120), st.integers(1, 8), st.integers(1, 20))
def test_in_no_minute_more_than_twice_the_allowance_is_given(asked: list[tuple[float, str]], each: int, everybody: int) -> None:
    watch = Watch()
    rate, allowed = Rate(each, everybody, watch), list[tuple[float, str]]()
    for pause, client in asked:
        watch.now += pause
        if rate.ask(client) is None:
            allowed.append((watch.now, client))
    for began, _ in allowed:
        within = [client for at, client in allowed if began <= at < began + 60]
        assert len(within) <= 2 * everybody
        assert all(within.count(client) <= 2 * each for client in "abc")


PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def asked_from(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return Request({"type": "http", "client": None if peer is None else (peer, 4711), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # no proxy of ours: its word does not count
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # what the client wrote itself stands further left
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.1:4711"], "10.0.0.1"),
        ("10.0.0.1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["198.51.100.1"], ""),
        ("testclient", ["198.51.100.1"], ""),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(peer: str | None, forwarded: list[str], client: str) -> None:
    assert Callers(PROXIES).of(asked_from(peer, *forwarded)) == client


@given(st.ip_addresses().map(str), st.lists(st.text(st.characters(max_codepoint=255), max_size=40), max_size=3))
def test_without_trusted_proxies_no_header_changes_who_asks(peer: str, forwarded: list[str]) -> None:
    assert Callers().of(asked_from(peer, *forwarded)) == Callers().of(asked_from(peer))


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=60), max_size=3))
def test_no_header_is_an_error(forwarded: list[str]) -> None:
    assert Callers(PROXIES).of(asked_from("10.0.0.1", *forwarded))
