"""Intake's database: tokens of older filings are carried over, and connections of the driver's own are kept and given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.intake import main as intake
from services.intake.repository import find_keys
from services.intake.settings import IntakeSettings
from shared.persistence.database import Database
from shared.persistence.migrate import migrate
from tests.support.servers import Keys, Servers
from tests.support.waiting import eventually

MIGRATIONS = Path(intake.__file__).with_name("migrations")
NOW = datetime(2026, 3, 2, tzinfo=UTC)
Old = tuple[UUID, str, bytes, bool]


@pytest.fixture
async def database(servers: Servers, tmp_path: Path) -> AsyncIterator[Database]:
    keys = Keys.make(tmp_path / "keys").folder
    made = Database(
        IntakeSettings(
            kafka_bootstrap=servers.kafka.address, postgres_url=servers.postgres.address, database_prefix=f"t{token_hex(4)}_",
            token_public_key_file=keys / "public.json", private_key_file=keys / "key",
        ),
        "intake",
    )  # fmt: skip
    yield made
    await made.close()


async def test_tokens_of_older_filings_are_carried_over_into_one_row(database: Database) -> None:
    await migrate(database, MIGRATIONS, "0004")
    one, two, three = sorted(uuid4() for _ in range(3))
    old: list[Old] = [
        (one, "id_number", b"n", True), (one, "phone", b"p", True), (one, "email", b"e", True),
        (two, "phone", b"p", True), (two, "email", b"f", False),
        (three, "id_number", b"m", False),
    ]  # fmt: skip
    columns = "case_id, kind, token, checked, filed_at, procedure, agency"
    insert = f"insert into persons ({columns}) values ($1, $2, $3, $4, $5, '1.1', 'so')"
    async with database.transaction() as tx:
        await tx.driver.executemany(insert, [(*row, NOW) for row in old])
    await migrate(database, MIGRATIONS)
    async with database.transaction() as tx:
        kept = await tx.driver.fetch("select * from persons order by case_id")
    assert [tuple(row) for row in kept] == [
        (one, b"n", b"p", b"e", "1.1", "so", NOW, True),
        (two, None, b"p", b"f", "1.1", "so", NOW, False),
        (three, b"m", None, None, "1.1", "so", NOW, False),
    ]


async def test_a_connection_is_kept_until_something_fails(database: Database) -> None:
    await migrate(database, MIGRATIONS)
    async with database.driver() as first:
        assert await first.fetchval("show plan_cache_mode") == "force_generic_plan"
        async with database.driver() as second:
            assert second is not first
    async with database.driver() as again:
        assert again is first
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with database.driver() as other:
                await other.execute("select 1 / 0")
    assert second.is_closed()
    async with database.driver() as again:
        assert again is first


async def test_a_connection_that_the_server_closed_is_not_used_again(database: Database) -> None:
    await migrate(database, MIGRATIONS)
    async with database.driver() as first:
        pid = first.get_server_pid()
    async with database.transaction() as tx:
        await tx.driver.fetchval("select pg_terminate_backend($1)", pid)

    async def closed() -> bool:
        return bool(first.is_closed())

    await eventually("the connection knows", closed)
    async with database.driver() as second:
        assert await second.fetchval("select 1") == 1


async def test_keys_are_found_one_by_one_whatever_the_table_holds(database: Database) -> None:
    """The plan is made while the table is empty, and the index is in it."""
    await migrate(database, MIGRATIONS)
    case_id, keys = uuid4(), [("agency:so", f"k{number}") for number in range(3)]
    async with database.driver() as driver:
        assert await find_keys(driver, keys) == {}
        await driver.execute("insert into idempotency select 'agency:so', 'k1', 'd', $1, now()", case_id)
        await driver.execute(
            "insert into idempotency select 'agency:so', 'x' || n, 'd', $1, now() from generate_series(1, 20000) n", case_id
        )
        assert await find_keys(driver, keys) == {("agency:so", "k1"): (b"d", case_id)}

    async def counted() -> bool:
        async with database.transaction() as tx:
            return bool(await tx.driver.fetchval("select idx_scan >= 6 from pg_stat_user_tables where relname = 'idempotency'"))

    await eventually("the keys were looked up in the index", counted)
