"""What is wrong with what was filed: each broken rule once, by its place, and never the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

LONGEST_POINTER: Final = 128
MOST_FAULTS: Final = 100
"""As many faults are told; of others only how many they are."""
_SHOULD: Final = re.compile(r"^\w+ should")


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: where (a JSON pointer into the body), what it must be, and the rule's code. Never the value."""

    pointer: str
    rule: str
    code: str

    def as_dict(self) -> dict[str, str]:
        """The fault as a member of the problem's `errors`."""
        return {"pointer": self.pointer, "rule": self.rule, "code": self.code}


class NotValidError(ValueError):
    """What was filed breaks rules; `faults` holds the first `MOST_FAULTS` of them, `more` says how many others there are."""

    def __init__(self, faults: list[Fault], more: int = 0) -> None:
        """Keep the faults; `more` were left out before."""
        super().__init__(f"{len(faults) + more} faults")
        self.faults = faults[:MOST_FAULTS]
        self.more = more + len(faults) - len(self.faults)


def not_valid(error: ValidationError) -> NotValidError:
    """The faults in the order of the fields; unknown fields last."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    first = [Fault(_pointer(detail["loc"]), _rule(detail), detail["type"]) for detail in details[:MOST_FAULTS]]
    return NotValidError(first, len(details) - len(first))


def _pointer(path: Iterable[int | str]) -> str:
    """RFC 6901; a name that is too long or not printable is shortened, since the client chose it."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    pointer = "".join(f"/{part}" for part in parts)
    return "".join(letter if letter.isprintable() else "?" for letter in pointer[:LONGEST_POINTER])


def _rule(detail: Mapping[str, Any]) -> str:
    match detail["type"]:
        case "missing":
            return "must be given"
        case "extra_forbidden":
            return "is not a field known here"
        case _:
            return _SHOULD.sub("must", str(detail["msg"]).removeprefix("Value error, "))
