"""`python -m services.intake`."""

from __future__ import annotations

from services.intake.handlers import SERVICE
from services.intake.main import create_app
from services.intake.settings import IntakeSettings
from shared.service import run

run(SERVICE, IntakeSettings, create_app)
