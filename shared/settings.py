"""Settings every service has: environment variables `MOTCUA_*`, checked at the start.

A wrong value stops the start with the setting's name and what it accepts (`load_settings`). No secret has a default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.contracts.topics import ERASURE_SECONDS

WRONG_USAGE = 2


def _folders(value: Any) -> Any:
    """Paths with colons between them, as in PATH."""
    return tuple(Path(each) for each in value.split(os.pathsep) if each) if isinstance(value, str) else value


def _networks(value: Any) -> Any:
    """Addresses or networks with commas between them."""
    return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Folders = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_folders)]


class KafkaSettings(BaseSettings):
    """How to reach Kafka, for services and for the command line alike."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap: str = Field(description="Kafka's addresses, host:port with commas", min_length=3)
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how to speak to Kafka"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, used with a SASL protocol"
    )
    kafka_sasl_username: str = Field("", description="SASL user")
    kafka_sasl_password: str = Field("", description="SASL password", repr=False)
    kafka_ca_file: Path | None = Field(None, description="certificate authority of Kafka's TLS certificate")
    topic_prefix: str = Field("", pattern=r"^[a-zA-Z0-9._-]*$", description="put before every topic and group name")
    erasure_seconds: PositiveFloat = Field(
        ERASURE_SECONDS, description="within which an erased value leaves case-private (compaction, by `motcua topics apply`)"
    )

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The settings that another environment than this process's holds."""
        names = {f"MOTCUA_{name.upper()}": name for name in cls.model_fields}
        return cls.model_validate({names[name]: value for name, value in environment.items() if name in names})


class ServiceSettings(KafkaSettings):
    """What every service needs to reach Kafka, PostgreSQL and its keys. Durations are in seconds."""

    postgres_url: str = Field(
        pattern=r"^postgres(ql)?://",
        repr=False,
        description="PostgreSQL server; each service has its own database there",
    )
    database_prefix: str = Field("motcua_", pattern=r"^[a-z_][a-z0-9_]*$", description="put before every database name")
    database_pool: PositiveInt = Field(10, description="most connections of one service process")

    token_public_key_file: Path = Field(description="public key (JWK) that bearer tokens are checked with")
    private_key_file: Path = Field(description="master keys: 32 bytes in base64, one a line, the current one first")

    catalogue_dir: Folders = Field((), description="folders with further procedures, colons between them")

    port: int = Field(8000, ge=1, le=65535, description="port the service listens on")
    host: str = Field("127.0.0.1", description="address the service listens on")
    sender_seconds: PositiveFloat = Field(30.0, description="longest a request's body may take to arrive, in seconds")
    answer_seconds: PositiveFloat = Field(2.5, description="longest wait for an answer before 503, in seconds")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    park_limit: PositiveInt = Field(100, description="parked records in ten minutes at which a consumer stops")
    bulk_lag_limit: NonNegativeInt = Field(2000, description="downstream lag, in records, that holds back the bulk lane")
    statement_timeout: PositiveFloat = Field(15.0, description="longest a database statement may take, in seconds")
    lock_timeout: PositiveFloat = Field(5.0, description="longest a database statement may wait for a lock, in seconds")


class SettingError(ValueError):
    """A setting is well formed and yet of no use: says which one, and what it must be."""


S = TypeVar("S", bound=BaseSettings)


def load_settings(kind: type[S]) -> S:
    """Read the settings from the environment; on a fault say each in one line and end with status 2."""
    try:
        return kind()
    except ValidationError as error:
        for line in explain(error, kind):
            print(line, file=sys.stderr)
        raise SystemExit(WRONG_USAGE) from None


def _by_alias(kind: type[BaseSettings], alias: str) -> FieldInfo | None:
    return next((field for field in kind.model_fields.values() if field.validation_alias == alias), None)


def explain(error: ValidationError, kind: type[BaseSettings]) -> list[str]:
    """One line per wrong setting: its name, what it accepts, and what is wrong."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else "settings"
        field = kind.model_fields.get(name) or _by_alias(kind, name)
        alias = field.validation_alias if field and isinstance(field.validation_alias, str) else None
        shown = alias or (name if name.startswith("MOTCUA_") else f"MOTCUA_{name.upper()}")
        means = f" ({field.description})" if field and field.description else ""
        lines.append(f"setting {shown}{means}: {fault['msg']}")
    return lines
