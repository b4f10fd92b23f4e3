"""`python -m services.intake`."""

from __future__ import annotations

from services.intake.main import create_app
from services.intake.settings import IntakeSettings
from services.intake.vault import SERVICE
from shared.service import run

run(SERVICE, IntakeSettings, create_app)
