"""Facts of time on real Kafka and PostgreSQL: at their own time, once for ever, whoever ticks, dies or comes between."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.history.reconcile import read_published
from services.processing.handlers.settling import Rules
from services.processing.handlers.timers import Ticked, Ticker, tick
from shared.calendar import ZONE
from shared.contracts import commands as ask
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_COMMANDS
from shared.contracts.words import Channel, Origin, Outcome
from shared.messaging.kafka import make_producer
from shared.messaging.lag import DownstreamLag
from shared.messaging.topics_admin import apply_topics
from shared.security.tokens import Role
from tests.support.installation import Installation
from tests.support.office import Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

ACCEPTED = datetime(2020, 12, 17, 10, tzinfo=ZONE)
"""Ten working days later is Thursday 31 December 2020."""
OF_TIME = ("case.due_soon", "case.overdue", "case.escalated")


@contextlib.asynccontextmanager
async def ready_office(servers: Servers, folder: Path, timer_seconds: float, grace: float = 0.0) -> AsyncIterator[Office]:
    """A service that answers."""
    async with running_office(servers, folder, timer_seconds=timer_seconds, timer_grace_seconds=grace) as made:

        async def ready() -> bool:
            async with made.client() as http:
                return (await http.get("/health/ready")).status_code == 200

        await eventually("the service is ready", ready)
        yield made


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with ready_office(servers, tmp_path_factory.mktemp("office"), timer_seconds=0.2) as made:
        yield made


@pytest.fixture
def agency() -> str:
    """An agency of its own, whose clock no other test sets."""
    return f"so-{uuid4().hex[:8]}"


async def set_clock(office: Office, agency: str, at: datetime) -> None:
    async with office.client(Role.IMPORTER, agency) as http:
        body = {"mode": "historical", "at": at.isoformat()}
        assert (await http.put(f"/v1/agencies/{agency}/clock", json=body)).status_code == 200


async def accepted(office: Office, agency: str, origin: Origin = Origin.REPLAY, unit: str | None = "labour") -> UUID:
    """A case of December 2020, accepted."""
    case_id = uuid4()
    await office.submit(case_id, ACCEPTED - timedelta(hours=1), origin, agency)
    await office.command(case_id, ask.Accept(unit=unit), ACCEPTED, origin, agency=agency)
    await office.facts(case_id, 1)
    return case_id


async def said(office: Office, case_id: UUID, count: int) -> list[tuple[str, str]]:
    """Exactly so many facts: type and local time, of an escalation with its reason and level."""
    facts = await office.facts(case_id, count)
    assert len(facts) == count, [envelope.type for envelope, _ in facts]
    assert [envelope.sequence for envelope, _ in facts] == list(range(1, count + 1))
    return [(_name(*fact), fact[0].occurred_at.astimezone(ZONE).strftime("%m-%d %H:%M")) for fact in facts]


def _name(envelope: Envelope, body: str) -> str:
    name = envelope.type.removeprefix("case.")
    if name != "escalated":
        return name
    reason, level = (body.split(f'"{what}":')[1].split(",", maxsplit=1)[0].strip('"}') for what in ("reason", "level"))
    return f"{reason}.{level}"


LATE = [("due_soon", "12-31 00:00"), ("overdue", "01-01 00:00"), ("overdue.1", "01-01 00:00")]
HIGHER = [("overdue.2", "01-06 00:00"), ("overdue.3", "01-09 00:00")]


async def test_setting_the_date_of_a_past_agency_raises_what_is_due_by_then_each_at_its_own_time(
    office: Office, agency: str
) -> None:
    await set_clock(office, agency, ACCEPTED - timedelta(days=1))
    case_id = await accepted(office, agency)
    await set_clock(office, agency, datetime(2021, 1, 2, 8, tzinfo=ZONE))
    assert await said(office, case_id, 4) == [("accepted", "12-17 10:00"), *LATE]
    await set_clock(office, agency, datetime(2021, 6, 1, tzinfo=ZONE))
    assert (await said(office, case_id, 6))[4:] == HIGHER
    facts = await office.facts(case_id, 6)
    assert {envelope.origin for envelope, _ in facts} == {Origin.REPLAY}
    assert [envelope.causation_id for envelope, _ in facts[1:]] == [None] * 5

    async def at_rest() -> bool:
        return not await office.query("select 1 from timers where case_id = $1", case_id)

    await eventually("no timer is left when every level was told", at_rest)
    async with office.client(Role.OFFICER, agency) as http:
        history = (await http.get(f"/v1/cases/{case_id}/history")).json()
        assert [item["type"] for item in history["items"]][2:] == [envelope.type for envelope, _ in facts[1:]]
        assert (await http.get("/health/live")).json() == {"alive": True, "silent": []}
        series = (await http.get("/metrics")).text
    assert 'motcua_timer_facts_total{type="case.overdue"}' in series
    assert "motcua_timer_oldest_due_timestamp_seconds" in series


async def test_a_command_in_the_past_finds_everything_said_that_time_had_made_before_it(office: Office, agency: str) -> None:
    await set_clock(office, agency, ACCEPTED - timedelta(days=1))
    case_id = await accepted(office, agency)
    at = datetime(2021, 1, 7, 9, tzinfo=ZONE)
    await office.command(case_id, ask.Return(channel=Channel.POST), at, Origin.REPLAY, agency=agency)
    await office.command(case_id, ask.Resolve(outcome=Outcome.GRANTED), at, Origin.REPLAY, agency=agency)
    names = [name for name, _ in await said(office, case_id, 7)]
    assert names == ["accepted", "command_rejected", "due_soon", "overdue", "overdue.1", "overdue.2", "resolved"]
    assert '"timeliness":"late"' in (await office.facts(case_id, 7))[-1][1]


async def test_what_happened_before_a_fact_of_time_and_came_after_it_is_still_in_order(office: Office, agency: str) -> None:
    await set_clock(office, agency, datetime(2021, 1, 2, 8, tzinfo=ZONE))
    case_id = await accepted(office, agency)
    await said(office, case_id, 4)
    at = datetime(2020, 12, 30, 16, tzinfo=ZONE)
    await office.command(case_id, ask.Resolve(outcome=Outcome.GRANTED), at, Origin.REPLAY, agency=agency)
    assert (await said(office, case_id, 5))[-1] == ("resolved", "12-30 16:00")
    assert '"timeliness":"early"' in (await office.facts(case_id, 5))[-1][1]


async def test_a_case_that_nobody_was_given_is_escalated(office: Office, agency: str) -> None:
    await set_clock(office, agency, datetime(2020, 12, 18, 8, tzinfo=ZONE))
    case_id = await accepted(office, agency, unit=None)
    assert (await said(office, case_id, 2))[1] == ("unassigned.1", "12-17 17:00")
    await set_clock(office, agency, datetime(2020, 12, 21, 8, tzinfo=ZONE))
    assert (await said(office, case_id, 3))[2] == ("unassigned.2", "12-18 17:00")


async def test_an_import_has_no_timers_and_a_replay_listens_to_a_past_clock_only(office: Office, agency: str) -> None:
    imported, replayed = await accepted(office, agency, Origin.IMPORT), await accepted(office, agency)
    assert await office.query("select 1 from timers where case_id = $1", imported) == []
    assert len(await office.query("select 1 from timers where case_id = $1 and replayed", replayed)) == 1
    assert (await _tick(office)).facts == {}
    await set_clock(office, agency, datetime(2021, 1, 2, 8, tzinfo=ZONE))
    assert len(await said(office, replayed, 4)) == 4
    assert len(await said(office, imported, 1)) == 1


async def _tick(office: Office, *, caught_up: bool = True, grace: timedelta = timedelta(0)) -> Ticked:
    """One tick of another replica, which waits until it leads."""

    async def answer() -> bool:
        return caught_up

    return await tick(Ticker(office.app.state.runtime.store, Rules(), answer, grace))


async def test_silence_ends_no_case_while_commands_are_on_their_way(servers: Servers, tmp_path: Path, agency: str) -> None:
    async with ready_office(servers, tmp_path, timer_seconds=30.0) as office:
        case_id, now = uuid4(), datetime.now(UTC)
        await office.submit(case_id, now, Origin.LIVE, agency, procedure="2.001955")
        documents = ("request-letter", "labour-rules")
        await office.command(case_id, ask.Accept(unit="labour", documents=documents), now, Origin.LIVE, agency=agency)
        await office.facts(case_id, 1)
        await _let_its_limit_pass(office, case_id, now)
        assert (await _tick(office, caught_up=False)).facts == {}
        (waiting,) = await office.query("select status, timer_at > now() as later from cases where case_id = $1", case_id)
        assert (waiting["status"], waiting["later"]) == (2, True)
        await _let_its_limit_pass(office, case_id, now)
        assert (await _tick(office)).facts == {"case.due_soon": 1, "case.resolved": 1}
        assert '"outcome":"no_objection"' in (await office.facts(case_id, 3))[-1][1]


async def _let_its_limit_pass(office: Office, case_id: UUID, now: datetime) -> None:
    """As if the case had been accepted a month ago and its due date were three days past."""
    begun, due = now - timedelta(days=30), now - timedelta(days=3)
    async with office.app.state.runtime.database.transaction() as tx:
        begun_at = "accepted_at = $2, clock_from = $2, last_fact_at = $2"
        moved = f"update cases set {begun_at}, due_at = $3, timer_at = $3 where case_id = $1"
        await tx.driver.execute(moved, case_id, begun, due)
        await tx.driver.execute("update timers set at = $2 where case_id = $1", case_id, due)


async def test_the_past_waits_for_commands_that_were_sent_before_its_date_was_set(
    servers: Servers, tmp_path: Path, agency: str
) -> None:
    async with ready_office(servers, tmp_path, timer_seconds=30.0) as office:
        await set_clock(office, agency, ACCEPTED - timedelta(days=1))
        case_id = await accepted(office, agency)
        async with office.app.state.runtime.database.transaction() as tx:
            await tx.driver.execute("update agency_clocks set at = $1", datetime(2021, 1, 2, tzinfo=ZONE))
        assert (await _tick(office, caught_up=False)).cases == 0
        ours = DownstreamLag(office.settings, "processing", CASE_COMMANDS, ("processing",))
        never = DownstreamLag(office.settings, "processing", CASE_COMMANDS, ("metrics",))
        try:
            await eventually("processing has taken every command", ours.is_none)
            assert not await never.is_none()
        finally:
            await ours.close()
            await never.close()
        assert (await _tick(office)).facts == dict.fromkeys(OF_TIME, 1)
        assert (await _tick(office)).cases == 0
        assert await said(office, case_id, 4) == [("accepted", "12-17 10:00"), *LATE]


# --- many cases, several replicas ----------------------------------------------------------------------

# Cases of today that were due yesterday at 17:00: three facts of time each.
FILL = """
with made as (
  insert into cases (
    case_id, heard_intake, agency, kind, procedure, procedure_version, channel, status, unit, code, origin, lane,
    submitted_at, accepted_at, clock_from, due_at, last_fact_at, timer_at
  )
  select gen_random_uuid(), 1, 'so-' || n % 3, 'dossier', '1.001806', 2, 'online', 2, 'labour', 'T-' || n, 'live', 0,
    due.at - interval '20 days', due.at - interval '20 days', due.at - interval '20 days', due.at, due.at - interval '20 days',
    due.at - interval '17 hours'
  from generate_series(1, $1) n,
    (select now() at time zone 'Asia/Ho_Chi_Minh') today (at),
    lateral (select date_trunc('day', today.at) at time zone 'Asia/Ho_Chi_Minh' - interval '7 hours') due (at)
  returning case_id, agency, timer_at
)
insert into timers (case_id, agency, at, replayed) select case_id, agency, timer_at, false from made returning case_id, agency
"""


async def test_a_moment_of_grace_is_left_to_commands_on_their_way(servers: Servers, tmp_path: Path) -> None:
    async with ready_office(servers, tmp_path, timer_seconds=30.0, grace=30.0) as office:
        await office.query(FILL, 1)
        assert (await _tick(office, grace=timedelta(days=3))).cases == 0
        assert (await _tick(office)).facts == dict.fromkeys(OF_TIME, 1)


async def test_a_case_that_the_rules_cannot_take_holds_up_no_other(servers: Servers, tmp_path: Path) -> None:
    async with ready_office(servers, tmp_path, timer_seconds=30.0) as office:
        await office.query(FILL, 3)
        await office.query("update cases set kind = 'nonsense' where code = 'T-2'")
        done = await _tick(office)
        assert (done.cases, done.facts) == (3, dict.fromkeys(OF_TIME, 2))
        later = await office.query(
            "select at > now() + interval '5 minutes' from timers join cases using (case_id) where code = 'T-2'"
        )
        assert [row[0] for row in later] == [True]
        assert (await _tick(office)).cases == 0


CASES = 6000
RESOLVED = 300


async def test_two_replicas_a_kill_in_the_middle_of_a_tick_and_commands_between_leave_one_fact_per_case_and_reason(
    servers: Servers, tmp_path: Path
) -> None:
    made = Installation(tmp_path, servers.kafka.address, servers.postgres.address, {"MOTCUA_LOG_LEVEL": "warning"})
    try:
        await apply_topics(made.kafka)
        made.start("processing", "one")
        await made.ready()
        cases = [(row[0], row[1]) for row in await made.query("processing", FILL, CASES)]
        early = await eventually("the tick is in the middle", lambda: _count(made), every=0.01)
        made.kill("one")
        assert 0 < early < 3 * CASES
        assert await _count(made) < 3 * CASES, "the kill came too late to prove anything"
        made.start("processing", "one")
        made.start("processing", "two")
        await _resolve(made, cases[:: CASES // RESOLVED])

        async def all_said() -> bool:
            return await _count(made) == 3 * CASES + RESOLVED

        await eventually("every fact is stated", all_said, within=90, every=0.3)
        await _check(made, {case_id for case_id, _ in cases[:: CASES // RESOLVED]})
    finally:
        await made.close()


async def _count(made: Installation) -> int:
    count: int = (await made.query("processing", "select count(*) from history"))[0][0]
    return count


async def _resolve(made: Installation, cases: Iterable[tuple[UUID, str]]) -> None:
    """Commands for some of the cases, while both replicas tick."""
    async with make_producer(made.kafka, "desk") as producer:
        for case_id, agency in cases:
            command, now = ask.Resolve(outcome=Outcome.GRANTED), datetime.now(UTC)
            envelope = Envelope(str(uuid4()), command.type, "/desk", str(case_id), agency, now, now, Origin.LIVE)
            topic, value = f"{made.run}-{CASE_COMMANDS.name}", command.model_dump_json().encode()
            await producer.send(topic, value, key=envelope.subject.encode(), headers=envelope.to_headers())


async def _check(made: Installation, resolved: set[UUID]) -> None:
    """By case in order: what time made, once, then the resolution; the topic says the same."""
    rows = await made.query("processing", "select case_id, sequence, type, body from history order by case_id, sequence")
    lives: dict[UUID, list[str]] = {}
    for case_id, sequence, kind, _ in rows:
        lives.setdefault(case_id, []).append(kind)
        assert len(lives[case_id]) == sequence
    assert len(lives) == CASES
    wrong = [life for case_id, life in lives.items() if life != [*OF_TIME, *(["case.resolved"] if case_id in resolved else [])]]
    assert wrong == []
    behind = await made.query("processing", "select 1 from timers where at <= now()")
    unlike = await made.query(
        "processing", "select 1 from cases full join timers using (case_id) where timer_at is distinct from at"
    )
    assert (behind, unlike) == ([], [])

    async def sent() -> Any:
        return not await made.query("processing", "select 1 from outbox limit 1")

    await eventually("everything is on the topic", sent, within=60)
    published = await read_published(made.kafka)
    assert (published.records["processing"], published.gaps) == (len(rows), [])
