"""Intake over HTTP: filing one by one and in bulk, the public look-up, the catalogue, what is personal."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.handlers import Desk
from services.intake.routes.applicants import add_applicants_routes
from services.intake.routes.bulk import BULK_PATH, add_bulk_route
from services.intake.routes.erasure import add_erasure_route
from services.intake.routes.filing import add_filing_route, make_filing
from services.intake.routes.hotline import Gatekeeper, add_hotline_routes
from services.intake.routes.pre_intake import add_pre_intake_routes
from services.intake.routes.precheck import add_precheck_route
from services.intake.routes.procedures import add_procedures_routes
from services.intake.routes.status import Porter, add_status_routes
from shared.persistence.database import Database
from shared.service.access_log import add_access_log_route

__all__ = ["BULK_PATH", "Gatekeeper", "Porter", "add_erasure_route", "add_hotline_routes", "make_filing", "make_router"]


def make_router(desk: Desk, database: Database, porter: Porter, bulk_silence: float) -> APIRouter:
    """Every route of intake on one router, the busiest first: matching a nested router costs each request anew."""
    router = APIRouter()
    add_filing_route(router)
    add_bulk_route(router, desk, bulk_silence)
    add_precheck_route(router, desk)
    add_pre_intake_routes(router, desk, database)
    add_status_routes(router, database, porter)
    add_procedures_routes(router, desk.catalogue)
    add_applicants_routes(router, database, desk.keys)
    add_access_log_route(router, database)
    return router
