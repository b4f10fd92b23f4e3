"""Intake's settings: what every service needs, and its own limits."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from shared.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """Intake's own settings. Durations are in seconds."""

    port: int = Field(8001, ge=0, le=65535, validation_alias="MOTCUA_INTAKE_PORT", description="port of the intake service")
    intake_group: PositiveInt = Field(1000, description="most cases that share one transaction")
    intake_bulk_group: PositiveInt = Field(500, description="most cases of bulk uploads that share one transaction")
    intake_queue: PositiveInt = Field(5000, description="most cases that wait for their transaction before 503 is answered")
    intake_bulk_patience: PositiveFloat = Field(20.0, description="how long a bulk upload waits for the database")
    intake_bulk_silence: float = Field(25.0, gt=0, lt=30, description="longest silence of a bulk upload before it is ended")
