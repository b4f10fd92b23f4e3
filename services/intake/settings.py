"""Intake's settings: what every service needs, and its own limits."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from shared.settings import Networks, ServiceSettings


class IntakeSettings(ServiceSettings):
    """Intake's own settings. Durations are in seconds."""

    port: int = Field(8001, ge=0, le=65535, validation_alias="MOTCUA_INTAKE_PORT", description="port of the intake service")
    intake_group: PositiveInt = Field(1000, description="most cases that share one transaction")
    intake_bulk_group: PositiveInt = Field(125, description="most cases of bulk uploads that share one transaction")
    intake_queue: PositiveInt = Field(5000, description="most cases that wait for their transaction before 503 is answered")
    intake_bulk_patience: PositiveFloat = Field(20.0, description="how long a bulk upload waits for the database")
    lookup_per_minute: PositiveInt = Field(120, description="public look-ups a minute from one address, in one process")
    lookup_total_per_minute: PositiveInt = Field(6000, description="public look-ups a minute from all addresses, in one process")
    trusted_proxies: Networks = Field((), description="networks of proxies whose `X-Forwarded-For` counts, commas between them")
    idempotency_days: int = Field(30, ge=7, le=36500, description="days an idempotency key of a live case is kept, at least 7")
    duplicate_days: int = Field(30, ge=1, le=366, description="days in which the same person and procedure may be a duplicate")
    intake_bulk_silence: float = Field(25.0, gt=0, lt=30, description="longest silence of a bulk upload before it is ended")
