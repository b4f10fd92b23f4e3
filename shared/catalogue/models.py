"""A procedure as data: names, kind, sources, and its time limits with their validity.

Unknown stays null: a limit nobody has found is null and its procedure `verified: false`; a case under it
has no due date. Values are strict and immutable; README.md beside this module describes the files.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field as Setting
from pydantic import model_validator

from shared.calendar import LimitUnit
from shared.catalogue.conduct import QUARTERS, AfterResult, Document, Step, Supplement, quarters_of
from shared.catalogue.entry import Code, Entry, Limit, Name, Slug, Text, broken
from shared.catalogue.faults import Rule


class CaseKind(StrEnum):
    """What the one-stop unit handles."""

    DOSSIER = "dossier"
    FEEDBACK = "feedback"
    TASK = "task"


class TaskClass(StrEnum):
    """How a task was assigned: by the plan of work or ad hoc, or as a key task or programme, counted beside them."""

    ROUTINE = "routine"
    AD_HOC = "ad_hoc"
    KEY = "key"
    PROGRAMME = "programme"


class ServiceLevel(StrEnum):
    """How far the procedure is offered online; the levels 3 and 4 of 2020 were not found and stay unknown."""

    UNKNOWN = "unknown"
    TOAN_TRINH = "toan_trinh"


class Field(Entry):
    """A field (lĩnh vực) of procedures."""

    slug: Slug
    name: Name


class Matter(Entry):
    """What feedback is about."""

    slug: Slug
    name: Name


class MatterFile(Entry):
    """`matters.yaml`."""

    matters: Annotated[tuple[Matter, ...], Setting(strict=False)]


class LimitVersion(Entry):
    """The limits in force from `valid_from` to `valid_to`, both included; null is open.

    With them, how a case is conducted: its documents, its internal steps, its supplement, and what follows the result.
    `silent_approval`: the limit passing without an answer is an answer. `refuse_within` and `forward_within` are limits of
    feedback beside the one of the answer: the first counts from the filing, the second from the acceptance.
    """

    version: Annotated[int, Setting(ge=1)]
    statutory: Limit | None
    committed: Limit | None
    valid_from: date | None
    valid_to: date | None
    decision: Text | None
    assumed: bool
    note: Text | None = None
    documents: Annotated[tuple[Document, ...], Setting(strict=False)] = ()
    steps: Annotated[tuple[Step, ...], Setting(strict=False)] = ()
    supplement: Supplement = Supplement()
    after_result: AfterResult | None = None
    silent_approval: bool = False
    refuse_within: Limit | None = None
    forward_within: Limit | None = None

    @property
    def due_limit(self) -> Limit | None:
        """The limit the printed due date follows: the committed one, else the statutory one, else unknown."""
        return self.committed or self.statutory

    def holds_on(self, on: date) -> bool:
        """Whether the version is in force on this local date."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    def missing(self, filed: Collection[str]) -> tuple[Document, ...] | None:
        """The required documents that were not filed; None where no document is known from a source."""
        if all(document.assumed for document in self.documents):
            return None
        return tuple(document for document in self.documents if document.required and document.code not in filed)

    def is_complete(self, filed: Collection[str]) -> bool | None:
        """Whether every required document was filed; None where nobody knows the list."""
        missing = self.missing(filed)
        return None if missing is None else not missing

    @model_validator(mode="after")
    def _check(self) -> Self:
        statutory, committed = self.statutory, self.committed
        if statutory and committed and statutory.unit is committed.unit and committed.count > statutory.count:
            raise broken(
                Rule.COMMITTED_WITHIN_STATUTORY,
                f"the committed limit ({committed}) is longer than the statutory one ({statutory})",
            )
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise broken(
                Rule.VALIDITY_UNBROKEN,
                f"version {self.version} ends on {self.valid_to}, before it begins on {self.valid_from}",
            )
        if self.assumed and self.note is None:
            raise broken(Rule.ASSUMED_SAYS_WHAT, f"version {self.version} is assumed: say in `note` what is assumed")
        if self.silent_approval and self.due_limit is None:
            raise broken(Rule.SILENT_APPROVAL_NEEDS_LIMIT, "silence approves when a limit has passed, and none is known")
        _check_list("document", [document.code for document in self.documents])
        _check_list("step", [step.step for step in self.steps])
        self._check_budgets()
        return self

    def _check_budgets(self) -> None:
        """The counted steps take exactly the limit in working days, where both are known."""
        limit, quarters = self.due_limit, quarters_of(self.steps)
        if not self.steps or quarters is None or limit is None or limit.unit is not LimitUnit.WORKING_DAYS:
            return
        if quarters != limit.count * QUARTERS:
            raise broken(
                Rule.STEPS_FILL_LIMIT,
                f"the counted steps of version {self.version} take {quarters / QUARTERS:g} working days, its limit is {limit}",
            )


def _check_list(word: str, keys: list[str]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise broken(Rule.LISTED_ONCE, f"the {word} {key!r} is listed {keys.count(key)} times; it may stand once")


class Procedure(Entry):
    """An administrative procedure (thủ tục hành chính), or another kind of work the unit counts.

    `valid_from` and `valid_to` are the first and the last day of the code itself, where a source names them;
    `replaced_by` is the code that came after it, in this catalogue or not.
    """

    code: Code
    name: Name
    kind: Annotated[CaseKind, Setting(strict=False)]
    task_class: Annotated[TaskClass | None, Setting(strict=False)] = None
    level: Annotated[ServiceLevel, Setting(strict=False)]
    verified: bool
    sources: Annotated[tuple[Text, ...], Setting(strict=False, min_length=1)]
    valid_from: date | None = None
    valid_to: date | None = None
    replaced_by: Code | None = None
    note: Text | None = None
    limits: Annotated[tuple[LimitVersion, ...], Setting(strict=False, min_length=1)]

    def version_at(self, on: date) -> LimitVersion | None:
        """The version in force on this local date, None when none is."""
        return next((version for version in self.limits if version.holds_on(on)), None)

    @model_validator(mode="after")
    def _check(self) -> Self:
        numbers = [version.version for version in self.limits]
        if numbers != list(range(1, len(numbers) + 1)):
            raise broken(Rule.VERSIONS_NUMBERED, f"versions are numbered 1, 2, 3, ... in order, not {numbers}")
        for earlier, later in pairwise(self.limits):
            _check_succession(earlier, later)
        if self.verified and self.limits[-1].due_limit is None:
            raise broken(Rule.UNKNOWN_IS_UNVERIFIED, "a limit nobody knows cannot be verified: set `verified: false`")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise broken(Rule.VALIDITY_UNBROKEN, f"the code ends on {self.valid_to}, before it begins on {self.valid_from}")
        if (self.kind is CaseKind.TASK) != (self.task_class is not None):
            raise broken(Rule.TASK_HAS_CLASS, "`task_class` belongs to every entry of the kind task, and to no other")
        return self


def _check_succession(earlier: LimitVersion, later: LimitVersion) -> None:
    """A version begins on the day after the one before it ends: no overlap, no gap."""
    if earlier.valid_to is None or later.valid_from is None:
        raise broken(
            Rule.VALIDITY_UNBROKEN,
            f"versions {earlier.version} and {later.version} overlap:"
            f" {earlier.version} needs a `valid_to` and {later.version} a `valid_from`",
        )
    if later.valid_from != earlier.valid_to + timedelta(days=1):
        fault = "overlap" if later.valid_from <= earlier.valid_to else "leave a gap"
        raise broken(
            Rule.VALIDITY_UNBROKEN,
            f"versions {earlier.version} and {later.version} {fault}:"
            f" one ends on {earlier.valid_to}, the next begins on {later.valid_from}",
        )


class ProcedureFile(Entry):
    """One file: the procedures of one field. With `agency` they are that agency's own, instead of any of the same code."""

    field: Slug
    agency: Annotated[str, Setting(max_length=64, pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$")] | None = None
    procedures: Annotated[tuple[Procedure, ...], Setting(strict=False)]


class FieldFile(Entry):
    """`fields.yaml`."""

    fields: Annotated[tuple[Field, ...], Setting(strict=False)]
