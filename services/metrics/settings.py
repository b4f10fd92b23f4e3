"""The metrics service's settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from shared.contracts.model import Slug
from shared.settings import ServiceSettings


def _split(value: object) -> object:
    """Agencies with commas between them, as an environment variable has them."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Agencies = Annotated[tuple[Slug, ...], NoDecode, BeforeValidator(_split)]


class MetricsSettings(ServiceSettings):
    """What metrics needs besides what every service does. Durations are in seconds."""

    port: int = Field(8004, validation_alias="MOTCUA_METRICS_PORT", ge=1, le=65535, description="port of HTTP")
    metrics_refresh_seconds: float = Field(
        0.5, ge=0.1, le=3600, description="least time between two readings of the business series"
    )
    metrics_procedure_agencies: Agencies = Field(
        (), description="agencies, with commas, whose procedures have series of their own"
    )
