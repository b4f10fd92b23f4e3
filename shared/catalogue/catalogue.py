"""The catalogue in memory: procedures by code, with their field and the limits in force on a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from shared.catalogue.checks import PACKAGED, files_of, read_files
from shared.catalogue.faults import CatalogueError, UnknownProcedureError
from shared.catalogue.models import Field, LimitVersion, Matter, Procedure
from shared.catalogue.reasons import Reason


class Catalogue:
    """Immutable; iterates over its procedures sorted by code."""

    __slots__ = ("_field_of", "_views", "fields", "matters", "procedures", "reasons")

    def __init__(
        self,
        procedures: Mapping[str, Procedure],
        field_of: Mapping[str, str],
        fields: Mapping[str, Field],
        reasons: Mapping[str, Reason] | None = None,
        views: Mapping[str, Catalogue] | None = None,
        matters: Mapping[str, Matter] | None = None,
    ) -> None:
        """Take procedures by code, each one's field slug, the fields by slug, the reasons by code, and the matters of feedback.

        `views` are the catalogues of agencies with procedures of their own.
        """
        self.procedures: Mapping[str, Procedure] = MappingProxyType(dict(sorted(procedures.items())))
        self.fields: Mapping[str, Field] = MappingProxyType(dict(fields))
        self.reasons: Mapping[str, Reason] = MappingProxyType(dict(reasons or {}))
        self.matters: Mapping[str, Matter] = MappingProxyType(dict(matters or {}))
        self._field_of = dict(field_of)
        self._views = dict(views or {})

    @property
    def agencies(self) -> tuple[str, ...]:
        """The agencies with procedures of their own."""
        return tuple(self._views)

    def of(self, agency: str | None) -> Catalogue:
        """What holds for an agency: its own procedures and the common ones."""
        return self._views.get(agency, self) if agency else self

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

    def version(self, code: str | None, number: int | None) -> LimitVersion | None:
        """The limits of this number, None when nobody knows them: a case keeps those in force at its acceptance."""
        procedure = self.procedures.get(code) if code else None
        if procedure is None or number is None or not 1 <= number <= len(procedure.limits):
            return None
        return procedure.limits[number - 1]

    def words_of(self, reason: str, language: str) -> str:
        """What a reason says in `vi` or `en`; the code itself where nobody gave it words."""
        known = self.reasons.get(reason)
        return known.words(language) if known else reason

    def field_of(self, code: str) -> str:
        """Slug of the procedure's field; raises UnknownProcedureError."""
        try:
            return self._field_of[code]
        except KeyError:
            raise UnknownProcedureError(code) from None


@lru_cache(maxsize=8)
def load_catalogue(folders: tuple[Path, ...] = ()) -> Catalogue:
    """The packaged catalogue with what further folders of the same format add; read once.

    Raises CatalogueError with every fault.
    """
    reading = read_files([path for folder in (PACKAGED, *folders) for path in files_of(folder)])
    if reading.faults:
        raise CatalogueError(reading.faults)
    common, matters = reading.common, reading.matters
    views = {
        agency: Catalogue(
            common.procedures | own.procedures,
            common.field_of | own.field_of,
            reading.fields,
            reading.reasons,
            matters=matters,
        )
        for agency, own in reading.own.items()
    }
    return Catalogue(common.procedures, common.field_of, reading.fields, reading.reasons, views, matters)
