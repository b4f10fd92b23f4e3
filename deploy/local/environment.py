"""The `MOTCUA_*` variables of the stack: what its services get, and what other commands find it by."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deploy.local import keys, ports
from deploy.local.errors import StackError
from deploy.local.hotline import Folders
from deploy.local.settings import PREFIX, SERVICES, LocalSettings, load_settings
from deploy.local.state import StateFolder
from shared.settings import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "keys/environment.json"  # holds PostgreSQL's password


def make_environment(settings: LocalSettings, state: StateFolder, *, kafka: str, postgres: str) -> dict[str, str]:
    """Every variable a service needs; the user's own `MOTCUA_*` variables are handed on."""
    handed_on = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    service_ports = {f"{PREFIX}{name.upper()}_PORT": str(settings.port_of(name)) for name in SERVICES}
    return {
        f"{PREFIX}TOPIC_PREFIX": settings.topic_prefix,
        f"{PREFIX}TOKEN_PUBLIC_KEY_FILE": str(state.keys / keys.PUBLIC_TOKEN_KEY),
        f"{PREFIX}PRIVATE_KEY_FILE": str(state.keys / keys.PRIVATE_KEY),
        f"{PREFIX}NOTIFICATION_FILE": str(state.path / "messages.ndjson"),
        **handed_on,
        **Folders.of(state, handed_on).environment,
        **service_ports,
        f"{PREFIX}STATE_DIR": str(state.path),
        f"{PREFIX}KAFKA_BOOTSTRAP": kafka,
        f"{PREFIX}POSTGRES_URL": postgres,
    }


def save_environment(state: StateFolder, environment: Mapping[str, str]) -> None:
    """Keep it for the supervisor and for other commands; only its owner may read it."""
    state.save(_FILE, dict(environment))


def running_environment(settings: LocalSettings | None = None) -> dict[str, str]:
    """The variables the stack was last started with; StackError when it never was."""
    state = StateFolder((settings or load_settings()).state_dir)
    environment = state.load(_FILE)
    if not environment:
        raise StackError(f"nothing was started in {state.path} yet: run `motcua up`")
    return environment


def kafka_settings() -> KafkaSettings:
    """How to reach Kafka: as the stack does, or by our own environment where no stack was started; StackError without any."""
    environment = StateFolder(load_settings().state_dir).load(_FILE) or dict(os.environ)
    if f"{PREFIX}KAFKA_BOOTSTRAP" not in environment:
        raise StackError(f"no Kafka is known here: run `motcua up`, or set {PREFIX}KAFKA_BOOTSTRAP")
    return KafkaSettings.of(environment)


def service_url(service: str, environment: Mapping[str, str]) -> str:
    """The address of one of the four services, without a slash at its end."""
    return f"http://{ports.HOST}:{environment[f'{PREFIX}{service.upper()}_PORT']}"
