"""What processing and metrics make of a first filing: a suspected duplicate is shown, first-time validity is a share."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.metrics.main import MIGRATIONS
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_EVENTS
from shared.contracts.words import Channel, Kind, Origin
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from tests.support.metrics import Life, MetricsService, Topic, installation, interleaved, metrics_settings, replica
from tests.support.office import AGENCY, running_office
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
REASON = "same_person_and_procedure"


async def test_an_officer_sees_a_suspected_duplicate_in_the_history(servers: Servers, tmp_path: Path) -> None:
    async with running_office(servers, tmp_path) as office:
        case_id, other = uuid4(), uuid4()
        await office.submit(case_id)
        event = ev.DuplicateSuspected(agency=AGENCY, kind=Kind.DOSSIER, other_case_id=other, reason=REASON)
        now = datetime.now(UTC)
        envelope = Envelope(str(uuid4()), event.type, "/intake", str(case_id), AGENCY, now, now, Origin.LIVE, 2)
        topic, value = f"{office.settings.topic_prefix}{CASE_EVENTS.name}", event.model_dump_json().encode()
        for _ in range(2):  # a repetition says nothing new
            await office.producer.send_and_wait(topic, value, key=str(case_id).encode(), headers=envelope.to_headers())

        async def heard() -> bool:
            return bool(await office.query("select 1 from cases where case_id = $1 and heard_intake = 2", case_id))

        await eventually("processing has heard of it", heard)
        async with office.client() as http:
            history = (await http.get(f"/v1/cases/{case_id}/history")).json()["items"]
            case = (await http.get(f"/v1/cases/{case_id}")).json()
            clock = await http.get(f"/v1/cases/{case_id}/clock")
        assert [each["type"] for each in history] == ["case.submitted", "case.duplicate_suspected"]
        assert history[1]["data"]["other_case_id"] == str(other)
        assert (case["status"], clock.status_code) == (1, 200)


def first_filings() -> list[Life]:
    """Five received cases, two of them valid the first time; and two that were refused before."""
    plain = Life().submitted(START).accepted(START)
    incomplete = Life().state(
        ev.CaseSubmitted, START, procedure="1.001865", channel=Channel.POST, filed_at=START, documents_complete=False
    )  # fmt: skip
    incomplete.accepted(START)
    supplemented = Life().submitted(START).accepted(START)
    supplemented.state(ev.SupplementRequested, START, documents=("request-form",), reason="incomplete")
    supplemented.state(ev.SupplementReceived, START)
    lives = [plain, incomplete, supplemented]
    for reason in ("missing_documents", "not_ours"):
        refused = Life().submitted(START).state(ev.CaseRefused, START, reason=reason)
        lives += [refused, filed_again(refused.case_id)]
    return lives


def filed_again(other: UUID) -> Life:
    life = Life().submitted(START).state(ev.DuplicateSuspected, START, other_case_id=other, reason=REASON)
    return life.accepted(START)


@pytest.fixture
async def topic(servers: Servers, tmp_path: Path) -> AsyncIterator[Topic]:
    async with installation(servers, Keys.make(tmp_path / "keys")) as made:
        yield made


async def series_of(service: MetricsService) -> Counter[tuple[str, str]]:
    """Samples by name and window, added up over their other labels."""
    sums: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(await service.exposition()):
        for sample in family.samples:
            sums[sample.name, sample.labels.get("window", "")] += sample.value  # type: ignore[assignment]  # a counter of floats
    return sums


async def test_first_time_validity_is_a_share_of_the_received_whatever_comes_first(topic: Topic, tmp_path: Path) -> None:
    facts = interleaved([*first_filings(), filed_again(uuid4())])  # of the last one nobody knows: its earlier filing never came
    Random(7).shuffle(facts)
    async with replica(topic.settings, Keys(tmp_path / "keys")) as service:
        await topic.send(facts)
        await service.settled(received=6)

        async def shown() -> bool:
            series = await series_of(service)
            ratio = series["motcua_case_first_time_valid_ratio", "all"]
            return (ratio, series["motcua_cases_duplicate_suspected_total", ""]) == (0.4, 3.0)

        await eventually("two of five were valid the first time", shown)


async def test_of_cases_from_before_only_what_their_status_tells_is_known(servers: Servers, tmp_path: Path) -> None:
    settings = metrics_settings(servers.kafka.address, servers.postgres.address, Keys.make(tmp_path / "keys"))
    database = Database(settings, "metrics")
    try:
        await migrate(database, MIGRATIONS, "0004")
        statuses = (1, 2, 3, 4, 5, 9)
        async with database.transaction() as tx:
            await tx.driver.executemany(
                "insert into cases (case_id, agency, status) values (gen_random_uuid(), 'so', $1)", [(each,) for each in statuses]
            )
        await migrate(database, MIGRATIONS)
        async with database.transaction() as tx:
            rows = await tx.driver.fetch("select status, supplemented, refused_for_documents from cases order by status")
            new = await tx.driver.fetchrow(
                "insert into cases (case_id) values (gen_random_uuid()) returning supplemented, refused_for_documents"
            )
    finally:
        await database.close()
    assert [tuple(row) for row in rows] == [
        (1, False, False), (2, False, False), (3, None, None), (4, None, False), (5, True, False), (9, None, False),
    ]  # fmt: skip
    assert tuple(new) == (False, False)
