"""Administrative procedures as data: one YAML file per field, checked, versioned, immutable."""

from __future__ import annotations

from shared.calendar import LimitUnit
from shared.catalogue.catalogue import Catalogue, load_catalogue
from shared.catalogue.checks import check_files
from shared.catalogue.faults import CatalogueError, Fault, Rule, UnknownProcedureError
from shared.catalogue.models import CaseKind, Field, Limit, LimitVersion, Name, Procedure, ServiceLevel

__all__ = [
    "CaseKind",
    "Catalogue",
    "CatalogueError",
    "Fault",
    "Field",
    "Limit",
    "LimitUnit",
    "LimitVersion",
    "Name",
    "Procedure",
    "Rule",
    "ServiceLevel",
    "UnknownProcedureError",
    "check_files",
    "load_catalogue",
]
