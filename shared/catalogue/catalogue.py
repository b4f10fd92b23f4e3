"""The catalogue in memory: procedures by code, with their field and the limits in force on a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from shared.catalogue.checks import PACKAGED, files_of, read_files
from shared.catalogue.faults import CatalogueError, UnknownProcedureError
from shared.catalogue.models import Field, LimitVersion, Procedure


class Catalogue:
    """Immutable; iterates over its procedures sorted by code."""

    __slots__ = ("_field_of", "fields", "procedures")

    def __init__(self, procedures: Mapping[str, Procedure], field_of: Mapping[str, str], fields: Mapping[str, Field]) -> None:
        """Take procedures by code, each one's field slug, and the fields by slug."""
        self.procedures: Mapping[str, Procedure] = MappingProxyType(dict(sorted(procedures.items())))
        self.fields: Mapping[str, Field] = MappingProxyType(dict(fields))
        self._field_of = dict(field_of)

    def __iter__(self) -> Iterator[Procedure]:
        """Procedures sorted by code."""
        return iter(self.procedures.values())

    def __len__(self) -> int:
        """How many procedures."""
        return len(self.procedures)

    def __contains__(self, code: object) -> bool:
        """Whether a procedure has this code."""
        return code in self.procedures

    def get(self, code: str) -> Procedure | None:
        """The procedure of this code, or None."""
        return self.procedures.get(code)

    def version_at(self, code: str, on: date) -> LimitVersion | None:
        """The limits in force on a local date, None when no version is; raises UnknownProcedureError."""
        procedure = self.procedures.get(code)
        if procedure is None:
            raise UnknownProcedureError(code)
        return procedure.version_at(on)

    def field_of(self, code: str) -> str:
        """Slug of the procedure's field; raises UnknownProcedureError."""
        try:
            return self._field_of[code]
        except KeyError:
            raise UnknownProcedureError(code) from None


@lru_cache(maxsize=8)
def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Read a folder (`fields.yaml`, `procedures/*.yaml`), the packaged one when None; read once per folder.

    Raises CatalogueError with every fault.
    """
    reading = read_files(files_of(folder or PACKAGED))
    if reading.faults:
        raise CatalogueError(reading.faults)
    return Catalogue(reading.procedures, reading.field_of, reading.fields)
