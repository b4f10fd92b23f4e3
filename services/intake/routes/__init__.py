"""Intake over HTTP: filing one by one and in bulk, the public look-up, the catalogue."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.handlers import Desk
from services.intake.routes.bulk import BULK_PATH, add_bulk_route
from services.intake.routes.filing import add_filing_route, make_filing
from services.intake.routes.procedures import add_procedures_routes
from services.intake.routes.status import add_status_routes
from shared.persistence.database import Database

__all__ = ["BULK_PATH", "make_filing", "make_router"]


def make_router(desk: Desk, database: Database, bulk_silence: float) -> APIRouter:
    """Every route of intake on one router, the busiest first: matching a nested router costs each request anew."""
    router = APIRouter()
    add_filing_route(router)
    add_bulk_route(router, desk, bulk_silence)
    add_status_routes(router, database)
    add_procedures_routes(router, desk.catalogue)
    return router
