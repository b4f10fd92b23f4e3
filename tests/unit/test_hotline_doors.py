"""The hotline's doors without servers: who is let in, what a record is, which files are in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.datastructures import Headers

from services.intake.hotline.arrivals import Arrival, Door, Taken
from services.intake.hotline.event import NEWEST, OLDEST, event_of
from services.intake.hotline.kafka_door import HotlineConsumer
from services.intake.hotline.payloads import KEPT_DAYS
from services.intake.hotline.series import HotlineSeries
from services.intake.hotline.sources import Sources
from services.intake.hotline.taking import _heard as tell
from services.intake.hotline.understanding import HeaderError, arrive, arrive_from_kafka, attributes_of
from services.intake.main import create_app
from services.intake.routes.hotline import _attributes as beside
from services.intake.settings import IntakeSettings
from services.processing.domain.context import COMMAND_LIFE
from shared.clock import real_time
from shared.contracts.hotline import EventOutcome, TicketOpened
from shared.contracts.topics import CASE_EVENTS, HOTLINE_EVENTS
from shared.hotline.mapping import UNKNOWN_SOURCE
from shared.hotline.said import Refused, Said, Wrong
from shared.hotline.signing import sign
from shared.messaging.consumer import Consumer
from shared.messaging.parking import HANDLER, is_left_out
from tests.support.servers import Keys
from tests.support.switchboard import AUTHENTICATION, SOURCE, Folders, event, mapping, written

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path / "hotline")
    made.add()
    return made


def sources_of(folders: Folders) -> tuple[Sources, CollectorRegistry]:
    registry = CollectorRegistry()
    sources = Sources(folders.settings["hotline_dir"], folders.settings["hotline_secrets_dir"], HotlineSeries(registry))
    sources.refresh()
    return sources, registry


@pytest.fixture
def trial(folders: Folders) -> Sources:
    """The sources of the folders."""
    return sources_of(folders)[0]


@given(
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_source", "ce_id", "ce_type", "ce_time", "content-type", "ce_specversion", "x", ""]),
            st.none() | st.binary(max_size=20) | st.sampled_from([b"/trial", b"trial", b"application/cloudevents+json"]),
        ),
        max_size=6,
    ),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_record_holds_it_is_understood_as_something(
    trial: Sources, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    try:
        attributes = attributes_of(headers)
    except HeaderError:  # refused by who reads the record
        return
    arrival = arrive_from_kafka(trial, value or b"", attributes)
    assert arrival.source in {SOURCE, UNKNOWN_SOURCE}
    for understood in arrival.understood:
        assert event_of(arrival, understood, None).outcome in {EventOutcome.ACCEPTED, EventOutcome.REFUSED, EventOutcome.IGNORED}


def test_at_the_webhook_a_vendors_cloudevent_is_seen_whole_and_on_the_topic_its_data(folders: Folders) -> None:
    sources, _ = sources_of(folders)
    source = sources.get(SOURCE)
    assert source is not None
    ticket = event()
    wrapped = written({"specversion": "1.0", "id": "e", "source": f"/{SOURCE}", "data": ticket})
    beside = {"datacontenttype": "application/cloudevents+json"}

    (seen,) = arrive(source, Door.WEBHOOK, written(ticket), beside).understood
    (inside,) = arrive_from_kafka(sources, wrapped, beside).understood

    assert isinstance(seen, Said)
    assert isinstance(inside, Said)
    assert seen.body == inside.body != None  # noqa: E711 - and it is something


ARRIVAL = Arrival(SOURCE, Door.KAFKA, (), b"", {}, "agency")


@pytest.mark.parametrize(
    ("understood", "field", "rule"),
    [
        (Said("", NOW, None), "id", "bad_form"),
        (Said("a b", NOW, None), "id", "bad_form"),
        (Said("x" * 201, NOW, None), "id", "bad_form"),
        (Said("a", NOW.replace(year=1950), None), "time", "time_out_of_range"),
        (Said("a", NOW - timedelta(days=13, microseconds=1), None), "time", "too_old"),
        (Said("a", NOW + timedelta(days=1, microseconds=1), None), "time", "in_the_future"),
        (Refused(()), "", "bad_form"),
        (Refused((Wrong("a\x00b\nc", "x" * 999),)), "a?b?c", "x" * 200),
    ],
)
def test_what_could_not_be_kept_is_refused(understood: Any, field: str, rule: str) -> None:
    event_ = event_of(ARRIVAL, understood, NOW)

    assert event_.outcome is EventOutcome.REFUSED
    assert event_.wrong[0][:2] == (field, rule)


def test_an_event_whose_id_may_be_forgotten_is_too_old_and_a_trials_sample_is_not() -> None:
    for at in (NOW - OLDEST, NOW + NEWEST):
        assert event_of(ARRIVAL, Said("a", at, None), NOW).outcome is EventOutcome.IGNORED
    assert OLDEST + NEWEST <= KEPT_DAYS <= COMMAND_LIFE
    assert event_of(ARRIVAL, Said("a", NOW.replace(year=2021), None), None).outcome is EventOutcome.IGNORED


def test_a_record_has_a_place_by_which_it_is_known_when_it_is_read_again(trial: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Consumer, "__init__", lambda *_args, **_more: None)
    consumer = HotlineConsumer(
        prefix="", store=cast("Any", None), metrics=cast("Any", None), park_limit=1, sources=trial, taking=cast("Any", None)
    )
    records = [
        cast("Any", SimpleNamespace(partition=2, offset=7, timestamp=at, value=b"", headers=[("ce_source", source)]))
        for at, source in ((5, f"/{SOURCE}".encode()), (6, f"/{SOURCE}".encode()), (5, b"\xff"))
    ]
    assert [consumer.read(record).body.place for record in records] == ["2:7:5", "2:7:6", "2:7:5"]


def test_the_number_of_a_refused_event_was_heard() -> None:
    wrong = (Wrong("kind", "unknown_word"),)
    refused: list[Any] = [
        Refused(wrong, "a", 7, "pbx"),
        Said("a b", NOW, None, 7, "pbx"),
        Said("a", NOW.replace(year=1950), None, 7, "pbx"),
    ]

    for understood in refused:
        heard = tell(cast("Any", SimpleNamespace(now=NOW)), event_of(ARRIVAL, understood, NOW))
        assert heard[2:] == (EventOutcome.REFUSED, None, NOW, 7, "pbx")


def test_a_repetition_is_answered_as_the_first_whatever_became_of_it() -> None:
    first, second = (event_of(ARRIVAL, Said("a", NOW, TicketOpened(ticket_id="t")), NOW) for _ in range(2))
    second.first = first
    second.follow_first()
    assert second.answer() == Taken("a", EventOutcome.DUPLICATE)
    first.refuse(Wrong("ticket_id", "unknown_ticket"))
    second.follow_first()
    assert second.answer() == first.answer() == Taken("a", EventOutcome.REFUSED, None, (Wrong("ticket_id", "unknown_ticket"),))


def test_of_a_parked_record_of_a_call_centre_only_the_place_is_kept() -> None:
    assert is_left_out(HOTLINE_EVENTS.name, HANDLER)
    assert not is_left_out(CASE_EVENTS.name, HANDLER)


@pytest.fixture
def app(folders: Folders, tmp_path: Path) -> FastAPI:
    """Intake without servers: whatever is refused must not need them."""
    keys = Keys.make(tmp_path / "keys")
    return create_app(
        IntakeSettings(
            kafka_bootstrap="127.0.0.1:9",
            postgres_url="postgresql://nobody@127.0.0.1:9/postgres",
            token_public_key_file=keys.folder / "public.json",
            private_key_file=keys.folder / "key",
            hotline_unproven_per_minute=5,
            hotline_unproven_total_per_minute=10_000,
            **folders.settings,
        )
    )


async def post(app: FastAPI, content: bytes, headers: Any, source: str = SOURCE) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.post(f"/v1/hotline/{source}", content=content, headers=headers)


async def test_who_is_not_let_in_costs_no_database_and_is_answered_fewer_times(app: FastAPI) -> None:
    codes = [(await post(app, b"{}", {"webhook-id": "x"}, source)).status_code for source in (SOURCE, "nobody") * 3]

    assert codes == [401, 404, 401, 404, 401, 429]


async def test_a_source_that_cannot_be_served_now_is_to_be_sent_again(app: FastAPI, folders: Folders) -> None:
    secret = folders.settings["hotline_secrets_dir"] / SOURCE
    secret.unlink()
    app.state.hotline.sources.refresh()

    answer = await post(app, b"{}", {})

    assert (answer.status_code, answer.headers["retry-after"].isdigit()) == (503, True)


async def test_a_right_signature_is_let_in_however_many_wrong_ones_came_before(app: FastAPI, folders: Folders) -> None:
    for _ in range(20):
        last = await post(app, b"{}", {})
    assert (last.status_code, last.headers["retry-after"].isdigit()) == (429, True)
    desk, body = app.state.hotline, written(event())

    assert desk.prove(SOURCE, signed(folders, body), body).name == SOURCE
    answer = await post(app, body, signed(folders, body))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def signed(folders: Folders, body: bytes) -> dict[str, str]:
    return sign(AUTHENTICATION, folders.live[SOURCE], body, "m", real_time())


TEXT = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60)


@given(
    body=st.binary(max_size=100),
    headers=st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "authorization"]), TEXT),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_nothing_unproven_is_ever_a_failure_of_ours(app: FastAPI, body: bytes, headers: dict[str, str]) -> None:
    answer = await post(app, body, {name: value.encode("latin-1") for name, value in headers.items()})

    assert answer.status_code in {400, 401, 429}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_header_given_twice_is_not_one_of_the_two(app: FastAPI, folders: Folders) -> None:
    body = written(event())
    right = list(signed(folders, body).items())

    answer = await post(app, body, [*right, ("webhook-id", "another")])

    assert answer.status_code in {400, 401}


def test_attributes_beside_a_signed_body_are_anybodys_word(folders: Folders) -> None:
    headers = Headers({"ce-id": "x", "webhook-id": "m", "content-type": "application/json"})
    sources, _ = sources_of(folders)
    source = sources.get(SOURCE)
    assert source is not None
    assert beside(source, headers) == {"webhookid": "m", "datacontenttype": "application/json"}

    folders.add(text=mapping().replace("standard_webhooks", "bearer"))
    sources.refresh()
    credited = sources.get(SOURCE)
    assert credited is not None
    assert beside(credited, headers) == {"id": "x", "datacontenttype": "application/json"}
