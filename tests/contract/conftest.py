"""The four services' applications, built as they are started, with settings from the environment and no servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from services.intake.main import create_app as create_intake
from services.intake.settings import IntakeSettings
from services.metrics.main import create_app as create_metrics
from services.metrics.settings import MetricsSettings
from services.notification.main import create_app as create_notification
from services.notification.settings import NotificationSettings
from services.processing.main import create_app as create_processing
from services.processing.settings import ProcessingSettings
from shared.settings import ServiceSettings, load_settings
from tests.support.servers import Keys

PREFIX = "trial-"
SERVICES: dict[str, tuple[type[ServiceSettings], Callable[[Any], FastAPI]]] = {
    "intake": (IntakeSettings, create_intake),
    "processing": (ProcessingSettings, create_processing),
    "notification": (NotificationSettings, create_notification),
    "metrics": (MetricsSettings, create_metrics),
}


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, FastAPI]]:
    """Each service's application by its name. Nobody listens at the addresses, and nothing connects."""
    folder = tmp_path_factory.mktemp("contract")
    addresses = {
        "MOTCUA_KAFKA_BOOTSTRAP": "127.0.0.1:9",
        "MOTCUA_POSTGRES_URL": "postgresql://nobody@127.0.0.1:9/postgres",
        "MOTCUA_TOPIC_PREFIX": PREFIX,
        "MOTCUA_NOTIFICATION_FILE": str(folder / "messages.ndjson"),
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (addresses | Keys.make(folder / "keys").environment).items():
            environment.setenv(name, value)
        yield {name: create(load_settings(settings)) for name, (settings, create) in SERVICES.items()}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    """Each service in turn."""
    name: str = request.param
    return name


@pytest.fixture
def app(apps: dict[str, FastAPI], service: str) -> FastAPI:
    """The application of each service in turn."""
    return apps[service]
