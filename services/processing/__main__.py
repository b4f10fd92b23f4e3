"""`python -m services.processing`."""

from __future__ import annotations

from services.processing.main import create_app
from services.processing.settings import ProcessingSettings
from shared.service import run

run("processing", ProcessingSettings, create_app)
