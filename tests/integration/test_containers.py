"""The smoke suite: Kafka and PostgreSQL from testcontainers, the four services as processes, one case to its gauge.

Images come from TEST_KAFKA_IMAGE and TEST_POSTGRES_IMAGE. Where they are set the suite must run; elsewhere the public images
are tried, and a suite that could not run is said loudly at the end of the run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from deploy.history.send import send, settle
from deploy.replay.driver import past_of
from deploy.replay.model import make_year
from deploy.replay.scenario import load_scenario
from shared.messaging.topics_admin import apply_topics
from tests.support.installation import SERVICES, Installation

pytestmark = pytest.mark.containers
LOOPBACK = ("127.0.0.1", None)
PUBLIC = {"TEST_KAFKA_IMAGE": "confluentinc/cp-kafka:8.0.0", "TEST_POSTGRES_IMAGE": "postgres:17"}


def image(setting: str) -> str:
    """The image of a setting, on this machine or pulled; skips, loudly, where there is none and none was asked for."""
    name = os.environ.get(setting) or PUBLIC[setting]
    try:
        client = docker.from_env(timeout=60)
        try:
            client.images.get(name)
        except docker.errors.ImageNotFound:
            client.images.pull(name)
    except DockerException as error:
        if os.environ.get(setting):
            pytest.fail(f"{setting}={name} is asked for and cannot be had: {error}")
        pytest.skip(f"THE SMOKE SUITE ON CONTAINERS DID NOT RUN: {name} cannot be had ({type(error).__name__})")
    return name


@pytest.fixture(scope="module")
def containers() -> Iterator[tuple[str, str]]:
    """Addresses of a Kafka and a PostgreSQL in containers."""
    kafka_image, postgres_image = image("TEST_KAFKA_IMAGE"), image("TEST_POSTGRES_IMAGE")
    broker, database = KafkaContainer(kafka_image).with_kraft(), PostgresContainer(postgres_image, driver=None)
    for container in (broker, database):  # published on loopback only
        container.ports = dict.fromkeys(container.ports, LOOPBACK)  # type: ignore[arg-type]  # docker takes an address too
    with broker as kafka, database as postgres:
        yield kafka.get_bootstrap_server(), postgres.get_connection_url()


async def test_a_year_goes_through_the_services_on_containers(containers: tuple[str, str], tmp_path: Path) -> None:
    bootstrap, postgres = containers
    city = Installation(tmp_path, bootstrap, postgres)
    try:
        await apply_topics(city.kafka)
        for name in SERVICES:
            city.start(name)
        await city.ready()
        past = past_of(make_year(load_scenario(), 60, 50, 3, "so-container"))
        async with city.as_importer() as services:
            await send(services, past, lambda *_: None)
            figures: dict[str, Any] = await settle(services, past, lambda *_: None)
            assert (figures["received"], figures["resolved"], figures["open"]) == (60, 50, 10)
            assert await services.exposed("so-container") == {"received": 60, "resolved": 50, "open": 10}
    finally:
        await asyncio.shield(city.close())
