"""Intake's settings: what every service needs, and its own limits."""

from __future__ import annotations

from pathlib import Path

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
    hotline_settle_seconds: float = Field(
        5.0, ge=0, le=3600, description="how long after a call's end what comes late still counts"
    )
    feed_seconds: float = Field(15.0, ge=0.1, le=3600, description="least time between two statements of how a feed stands")
    hotline_dir: Path | None = Field(
        None, description="folder with mappings of call centres, `<source>.yaml`, besides the packaged"
    )
    hotline_secrets_dir: Path | None = Field(
        None, description="folder with a file for each source that holds its one or two secrets"
    )
    hotline_group: PositiveInt = Field(100, description="most payloads of the hotline that share one transaction")
    hotline_queue: PositiveInt = Field(2000, description="most payloads of the hotline that wait before 503 is answered")
    hotline_unproven_per_minute: PositiveInt = Field(
        60, description="webhooks a minute from one address that are told why they were not let in, in one process"
    )
    hotline_unproven_total_per_minute: PositiveInt = Field(3000, description="the same of all addresses together")
