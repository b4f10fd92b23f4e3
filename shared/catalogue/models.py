"""A procedure as data: names, kind, sources, and its time limits with their validity.

Unknown stays null: a limit nobody has found is null and its procedure `verified: false`; a case under it
has no due date. Values are strict and immutable; README.md beside this module describes the files.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Setting
from pydantic_core import PydanticCustomError

from shared.calendar import LimitUnit
from shared.catalogue.faults import Rule

_Text = Annotated[str, Setting(min_length=1, max_length=1000, pattern=r"\S")]
_Slug = Annotated[str, Setting(min_length=1, max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Code = Annotated[str, Setting(min_length=1, max_length=64, pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$")]
_Unit = Annotated[LimitUnit, Setting(strict=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def _broken(rule: Rule, message: str) -> PydanticCustomError:
    """An error that carries the rule it broke; braces would be read as placeholders."""
    return PydanticCustomError(rule, "{message}", {"message": message})


class CaseKind(StrEnum):
    """What the one-stop unit handles."""

    DOSSIER = "dossier"
    FEEDBACK = "feedback"
    TASK = "task"


class ServiceLevel(StrEnum):
    """How far the procedure is offered online; the levels 3 and 4 of 2020 were not found and stay unknown."""

    UNKNOWN = "unknown"
    TOAN_TRINH = "toan_trinh"


class Name(_Entry):
    """Vietnamese first, English second."""

    vi: _Text
    en: _Text


class Field(_Entry):
    """A field (lĩnh vực) of procedures."""

    slug: _Slug
    name: Name


class Limit(_Entry):
    """A positive count of working days, calendar days or hours."""

    count: Annotated[int, Setting(ge=1, le=10_000)]
    unit: _Unit

    def __str__(self) -> str:
        """`15 working days`."""
        return f"{self.count} {self.unit.value.replace('_', ' ')}"


class LimitVersion(_Entry):
    """The limits in force from `valid_from` to `valid_to`, both included; null is open."""

    version: Annotated[int, Setting(ge=1)]
    statutory: Limit | None
    committed: Limit | None
    valid_from: date | None
    valid_to: date | None
    decision: _Text | None
    assumed: bool
    note: _Text | None = None

    @property
    def due_limit(self) -> Limit | None:
        """The limit the printed due date follows: the committed one, else the statutory one, else unknown."""
        return self.committed or self.statutory

    def holds_on(self, on: date) -> bool:
        """Whether the version is in force on this local date."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    @model_validator(mode="after")
    def _check(self) -> Self:
        statutory, committed = self.statutory, self.committed
        if statutory and committed and statutory.unit is committed.unit and committed.count > statutory.count:
            raise _broken(
                Rule.COMMITTED_WITHIN_STATUTORY,
                f"the committed limit ({committed}) is longer than the statutory one ({statutory})",
            )
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise _broken(
                Rule.VALIDITY_UNBROKEN,
                f"version {self.version} ends on {self.valid_to}, before it begins on {self.valid_from}",
            )
        if self.assumed and self.note is None:
            raise _broken(Rule.ASSUMED_SAYS_WHAT, f"version {self.version} is assumed: say in `note` what is assumed")
        return self


class Procedure(_Entry):
    """An administrative procedure (thủ tục hành chính), or another kind of work the unit counts."""

    code: _Code
    name: Name
    kind: Annotated[CaseKind, Setting(strict=False)]
    level: Annotated[ServiceLevel, Setting(strict=False)]
    verified: bool
    sources: Annotated[tuple[_Text, ...], Setting(strict=False, min_length=1)]
    limits: Annotated[tuple[LimitVersion, ...], Setting(strict=False, min_length=1)]

    def version_at(self, on: date) -> LimitVersion | None:
        """The version in force on this local date, None when none is."""
        return next((version for version in self.limits if version.holds_on(on)), None)

    @model_validator(mode="after")
    def _check(self) -> Self:
        numbers = [version.version for version in self.limits]
        if numbers != list(range(1, len(numbers) + 1)):
            raise _broken(Rule.VERSIONS_NUMBERED, f"versions are numbered 1, 2, 3, ... in order, not {numbers}")
        for earlier, later in pairwise(self.limits):
            _check_succession(earlier, later)
        if self.verified and any(version.due_limit is None for version in self.limits):
            raise _broken(Rule.UNKNOWN_IS_UNVERIFIED, "a limit nobody knows cannot be verified: set `verified: false`")
        return self


def _check_succession(earlier: LimitVersion, later: LimitVersion) -> None:
    """A version begins on the day after the one before it ends: no overlap, no gap."""
    if earlier.valid_to is None or later.valid_from is None:
        raise _broken(
            Rule.VALIDITY_UNBROKEN,
            f"versions {earlier.version} and {later.version} overlap:"
            f" {earlier.version} needs a `valid_to` and {later.version} a `valid_from`",
        )
    if later.valid_from != earlier.valid_to + timedelta(days=1):
        fault = "overlap" if later.valid_from <= earlier.valid_to else "leave a gap"
        raise _broken(
            Rule.VALIDITY_UNBROKEN,
            f"versions {earlier.version} and {later.version} {fault}:"
            f" one ends on {earlier.valid_to}, the next begins on {later.valid_from}",
        )


class ProcedureFile(_Entry):
    """One file: the procedures of one field."""

    field: _Slug
    procedures: Annotated[tuple[Procedure, ...], Setting(strict=False)]


class FieldFile(_Entry):
    """`fields.yaml`."""

    fields: Annotated[tuple[Field, ...], Setting(strict=False)]
