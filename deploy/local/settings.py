"""Settings of the local stack, read from `MOTCUA_*` variables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

import deploy
from deploy.local.errors import SettingError

SERVICES = ("intake", "processing", "notification", "metrics")
CHECKOUT = Path(deploy.__file__).resolve().parents[1]
PREFIX = "MOTCUA_"


class Source(StrEnum):
    """How a server is to be had: the first that works, or one kind only."""

    AUTO = "auto"
    CONTAINER = "container"
    LOCAL = "local"


def _default_state_dir() -> Path:
    root = CHECKOUT if (CHECKOUT / "pyproject.toml").is_file() else Path.cwd()
    return root / ".motcua"


def _bootstrap(value: str) -> str:
    for entry in value.split(","):
        host, _, port = entry.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(entry)
    return value


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        raise ValueError(parts.scheme)
    return value


Port = Annotated[int, Field(ge=1, le=65535, description="a port number from 1 to 65535")]
Bootstrap = Annotated[str, AfterValidator(_bootstrap), Field(description="host:port, several parted by commas")]
ServerUrl = Annotated[str, AfterValidator(_server_url), Field(description="postgresql://user:password@host:port/postgres")]
Kind = Annotated[Source, Field(description="auto, container or local")]
Words = Annotated[str, Field(min_length=1, description="a text that is not empty")]


class LocalSettings(BaseSettings):
    """Where the stack lives, which ports it takes and how it finds Kafka and PostgreSQL."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    state_dir: Annotated[Path, Field(description="a folder")] = Field(default_factory=_default_state_dir)
    topic_prefix: str = ""
    kafka_bootstrap: Bootstrap | None = None
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_source: Kind = Source.AUTO
    kafka_image: Words = "apache/kafka:4.3.1"
    postgres_url: ServerUrl | None = None
    postgres_source: Kind = Source.AUTO
    postgres_image: Words = "postgres:17"
    intake_port: Port = 8001
    processing_port: Port = 8002
    notification_port: Port = 8003
    metrics_port: Port = 8004
    prometheus_port: Port = 9090
    prometheus_retention: Annotated[str, Field(pattern=r"^\d+(h|d|w|y)$", description="a length of time such as 15d")] = "15d"

    def port_of(self, service: str) -> int:
        """The port of one of the four services or of Prometheus."""
        port: int = getattr(self, f"{service}_port")
        return port


def load_settings() -> LocalSettings:
    """The settings in force; SettingError names the first wrong one and what it accepts."""
    try:
        settings = LocalSettings()
    except ValidationError as error:
        raise SettingError(_explain(error)) from None
    _check_ports_differ(settings)
    return settings


def _explain(error: ValidationError) -> str:
    fault = error.errors()[0]
    name = str(fault["loc"][0]).removeprefix(PREFIX.lower())
    field = LocalSettings.model_fields[name]
    accepts = field.description or _description_inside(field.annotation) or fault["msg"]
    shown = "this value" if name == "postgres_url" else repr(fault["input"])  # the URL holds a password
    return f"{PREFIX}{name.upper()} accepts {accepts}, not {shown}"


def _description_inside(annotation: object) -> str | None:
    for part in getattr(annotation, "__args__", ()):
        for metadata in getattr(part, "__metadata__", ()):
            if text := getattr(metadata, "description", None):
                return str(text)
    return None


def _check_ports_differ(settings: LocalSettings) -> None:
    seen: dict[int, str] = {}
    for service in (*SERVICES, "prometheus"):
        port = settings.port_of(service)
        if other := seen.get(port):
            raise SettingError(
                f"{PREFIX}{service.upper()}_PORT accepts a port of its own, not {port}, which {PREFIX}{other.upper()}_PORT has"
            )
        seen[port] = service
