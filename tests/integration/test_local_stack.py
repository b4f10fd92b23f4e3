"""The local kinds of Kafka and PostgreSQL, started, killed and stopped for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import GivenKafka, LocalKafka
from deploy.local.postgres import GivenPostgres, LocalPostgres


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[LocalPostgres]:
    server = LocalPostgres(tmp_path / "postgres")
    with server:
        yield server
    server.forget()


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path / "kafka") as server:
        yield server


async def test_postgres_keeps_its_port_and_its_content_after_a_kill(postgres: LocalPostgres) -> None:
    address = postgres.address
    connection = await asyncpg.connect(address)
    await connection.execute("create table fact (word text)")
    await connection.execute("insert into fact values ('Đã tiếp nhận')")
    assert await connection.fetchval("show server_encoding") == "UTF8"
    postgres.kill()
    assert GivenPostgres(address).fault() is not None
    postgres.start()
    assert postgres.address == address
    again = await asyncpg.connect(address)
    assert await again.fetchval("select word from fact") == "Đã tiếp nhận"
    await again.close()


async def test_postgres_lets_nobody_in_without_the_password(postgres: LocalPostgres) -> None:
    password = postgres.address.split(":")[2].split("@")[0]
    fault = GivenPostgres(postgres.address.replace(password, "guess")).fault()
    assert fault is not None
    assert "password authentication failed" in fault
    assert password not in fault


async def test_kafka_keeps_its_port_and_its_records_after_a_kill(kafka: LocalKafka) -> None:
    address = kafka.bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic("facts", 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all")
    await producer.start()
    await producer.send_and_wait("facts", b"one")
    await producer.stop()
    kafka.kill()
    assert GivenKafka(address, plain=True).fault() is not None
    kafka.start()
    assert kafka.bootstrap == address
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("facts", 0)])
    record = await consumer.getone()
    await consumer.stop()
    assert record.value == b"one"
