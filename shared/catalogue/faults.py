"""What can be wrong with a catalogue file, each fault as one line for its editor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """The rules `motcua procedures check` holds a file to."""

    READABLE = "readable"
    YAML_SYNTAX = "yaml-syntax"
    DUPLICATE_KEY = "duplicate-key"
    NO_ALIAS = "no-alias"
    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    WRONG_VALUE = "wrong-value"
    QUOTED_CODE = "quoted-code"
    DUPLICATE_CODE = "duplicate-code"
    KNOWN_FIELD = "known-field"
    COMMITTED_WITHIN_STATUTORY = "committed-within-statutory"
    VERSIONS_NUMBERED = "versions-numbered"
    VALIDITY_UNBROKEN = "validity-unbroken"
    ASSUMED_SAYS_WHAT = "assumed-says-what"
    UNKNOWN_IS_UNVERIFIED = "unknown-is-unverified"
    ASSUMED_IS_OPTIONAL = "assumed-is-optional"
    LISTED_ONCE = "listed-once"
    STEPS_FILL_LIMIT = "steps-fill-limit"
    SILENT_APPROVAL_NEEDS_LIMIT = "silent-approval-needs-limit"
    TASK_HAS_CLASS = "task-has-class"
    REPLACED_BY_ANOTHER = "replaced-by-another"


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: the file, the line (from 1) and entry where known, and what to do about it."""

    file: str
    rule: Rule
    message: str
    entry: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """`file:line: entry: message [rule]`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        subject = "" if self.entry is None else f"{self.entry}: "
        return f"{place}: {subject}{self.message} [{self.rule}]"


class CatalogueError(ValueError):
    """The catalogue cannot be used; `faults` says every reason."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults and show them one a line."""
        super().__init__("the catalogue has faults:\n" + "\n".join(map(str, faults)))
        self.faults = faults


class UnknownProcedureError(LookupError):
    """No procedure has this code."""

    def __init__(self, code: str) -> None:
        """Name the code."""
        super().__init__(f"no procedure has the code {code!r}")
        self.code = code
