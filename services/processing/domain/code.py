"""The dossier code: an agency's identifier, the local date of acceptance, and a serial, by the pattern of a year's rules.

- 2018: `000.00.07.H24-201217-0023`, the serial with four digits or more (Circular 01/2018/TT-VPCP, art. 19);
- 2020: `G09.20-20260609-0092637`, the year with four digits and the serial with seven or more (identifiers of Decision
  20/2020/QĐ-TTg);
- 2026: `H24.007.00-260125-240001`, two digits of the system's owner before the serial (Circular 04/2025/TT-VPCP, art. 23.2).

The serial counts from 1 each day and grows beyond its digits instead of starting again. Identifier and pattern belong to the
agency and are settings, never constants of the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, NamedTuple

UNALLOTTED: Final = "unallotted"
"""Stands for the code between the decision to accept and the end of its batch, when a serial is allotted."""

LONGEST_IDENTIFIER: Final = 40
_IDENTIFIER = r"[A-Z0-9][A-Z0-9._-]{0,39}"
_PATTERN = re.compile(
    rf"(?P<identifier>{_IDENTIFIER}?)-\{{(?P<day>YYMMDD|YYYYMMDD)\}}-(?P<owner>\d\d)?\{{serial:(?P<digits>[4-9])\}}", re.ASCII
)
_BARE = re.compile(_IDENTIFIER, re.ASCII)
_CODE = re.compile(rf"(?P<identifier>{_IDENTIFIER})-(?P<day>\d{{6}}|\d{{8}})-(?P<serial>\d{{4,12}})", re.ASCII)
_DAY_FORMATS: Final = {"YYMMDD": "%y%m%d", "YYYYMMDD": "%Y%m%d"}


class CodeError(ValueError):
    """A dossier code or a pattern breaks the rule that the sentence states."""


class CodePattern(NamedTuple):
    """How an agency's codes are made. `owner` are two digits before the serial, `digits` its least number of digits."""

    identifier: str
    day_format: str = "%y%m%d"
    owner: str = ""
    digits: int = 4

    def code(self, accepted_on: date, serial: int) -> str:
        """The code of the `serial`-th dossier accepted on a local date."""
        return f"{self.identifier}-{accepted_on.strftime(self.day_format)}-{self.owner}{serial:0{self.digits}d}"


FORMS: Final = (
    CodePattern("", "%y%m%d", "", 4),
    CodePattern("", "%Y%m%d", "", 7),
    CodePattern("", "%y%m%d", "00", 4),
)
"""The forms of 2018, 2020 and 2026, whoever's they are."""


def parse_pattern(text: str) -> CodePattern:
    """Read `{identifier}-{YYMMDD}-{serial:4}` and its kin; an identifier alone is the form of 2018.

    Raises:
        CodeError: It is neither.
    """
    if _BARE.fullmatch(text):
        return CodePattern(text)
    match = _PATTERN.fullmatch(text)
    if match is None:
        message = (
            "a code pattern is an identifier of 1 to 40 capital letters, digits, dots, hyphens or underscores"
            " (such as 000.00.07.H24), then -{YYMMDD}- or -{YYYYMMDD}-, two digits or none, and {serial:4} up to {serial:9}"
        )
        raise CodeError(message)
    return CodePattern(match["identifier"], _DAY_FORMATS[match["day"]], match["owner"] or "", int(match["digits"]))


def default_pattern(agency: str) -> CodePattern:
    """The pattern of an agency that the settings do not name: its own slug in upper case, 40 characters at most."""
    return CodePattern(agency.upper()[:LONGEST_IDENTIFIER])


def check_code(code: str, forms: Iterable[CodePattern] = FORMS) -> str:
    """Give the code back when it has one of the forms; a form with an identifier asks for it, and for its owner's digits.

    Raises:
        CodeError: The form is wrong, the date does not exist, or the serial is zero or padded beyond its digits.
    """
    match = _CODE.fullmatch(code)
    if match is None:
        message = "a dossier code is IDENTIFIER-YYMMDD-SERIAL or IDENTIFIER-YYYYMMDD-SERIAL, the serial with four digits or more"
        raise CodeError(message)
    faults = [_fault_of(match, form) for form in forms]
    if None not in faults:
        raise CodeError(next(filter(None, faults), "no form of codes is in use"))
    return code


def _fault_of(match: re.Match[str], form: CodePattern) -> str | None:
    """What keeps a code from having this form."""
    identifier, day, tail = match.groups()
    if form.identifier not in {"", identifier}:
        return f"the identifier is {form.identifier}"
    if not _is_date(day, form.day_format):
        return "the middle part of a dossier code is a date, YYMMDD or YYYYMMDD"
    owner, serial = tail[: len(form.owner)], tail[len(form.owner) :]
    if form.identifier and owner != form.owner:
        return f"the serial follows the digits {form.owner}"
    if len(serial) < form.digits or not int(serial) or (len(serial) > form.digits and serial[0] == "0"):
        return f"the serial of a dossier code counts from {1:0{form.digits}d} and is padded to {form.digits} digits only"
    return None


def _is_date(text: str, day_format: str) -> bool:
    try:
        return datetime.strptime(text, day_format).strftime(day_format) == text  # noqa: DTZ007 - a date without a time of day
    except ValueError:
        return False
