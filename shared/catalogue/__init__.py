"""Administrative procedures as data: one YAML file per field, checked, versioned, immutable."""

from __future__ import annotations

from shared.calendar import LimitUnit
from shared.catalogue.catalogue import Catalogue, load_catalogue
from shared.catalogue.checks import check_files
from shared.catalogue.conduct import AfterResult, Document, Step, Supplement
from shared.catalogue.entry import Limit, Name
from shared.catalogue.faults import CatalogueError, Fault, Rule, UnknownProcedureError
from shared.catalogue.models import CaseKind, Field, LimitVersion, Matter, Procedure, ServiceLevel, TaskClass
from shared.catalogue.reasons import Reason, ReasonUse

__all__ = [
    "AfterResult",
    "CaseKind",
    "Catalogue",
    "CatalogueError",
    "Document",
    "Fault",
    "Field",
    "Limit",
    "LimitUnit",
    "LimitVersion",
    "Matter",
    "Name",
    "Procedure",
    "Reason",
    "ReasonUse",
    "Rule",
    "ServiceLevel",
    "Step",
    "Supplement",
    "TaskClass",
    "UnknownProcedureError",
    "check_files",
    "load_catalogue",
]
