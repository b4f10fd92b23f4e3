"""The dossier code: `{prefix}-{YYMMDD}-{serial}` (Circular 01/2018/TT-VPCP, art. 19).

The date is the local date of acceptance; the serial counts from 1 each day, has at least four digits and grows beyond
9,999 instead of starting again. The prefix identifies the agency and is a setting, never a constant of the product.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

UNALLOTTED: Final = "unallotted"
"""Stands for the code between the decision to accept and the end of its batch, when a serial is allotted."""

_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,39}")
_CODE = re.compile(r"(?P<prefix>[A-Z0-9][A-Z0-9._-]{0,39})-(?P<day>\d{6})-(?P<serial>\d{4,9})", re.ASCII)


class CodeError(ValueError):
    """A dossier code or a prefix breaks the rule that the sentence states."""


def check_prefix(prefix: str) -> str:
    """Give the prefix back.

    Raises:
        CodeError: It is no sequence of 1 to 40 capital letters, digits, dots, hyphens and underscores.
    """
    if _PREFIX.fullmatch(prefix) is None:
        message = "a code prefix has 1 to 40 capital letters, digits, dots, hyphens or underscores (such as 000.00.07.H24)"
        raise CodeError(message)
    return prefix


def make_prefix(agency: str) -> str:
    """The prefix of an agency that the settings do not name: its own slug in upper case, 40 characters at most."""
    return agency.upper()[:40]


def make_code(prefix: str, accepted_on: date, serial: int) -> str:
    """The code of the `serial`-th dossier accepted on a local date."""
    return f"{prefix}-{accepted_on:%y%m%d}-{serial:04d}"


def check_code(code: str) -> str:
    """Give the code back.

    Raises:
        CodeError: The form is wrong, the date does not exist, or the serial is zero or padded beyond four digits.
    """
    match = _CODE.fullmatch(code)
    if match is None:
        message = "a dossier code is PREFIX-YYMMDD-SERIAL, the serial with four digits or more"
        raise CodeError(message)
    try:
        datetime.strptime(match["day"], "%y%m%d")  # noqa: DTZ007 - a date without a time of day
    except ValueError:
        message = "the middle part of a dossier code is a date, YYMMDD"
        raise CodeError(message) from None
    serial = match["serial"]
    if int(serial) == 0 or (len(serial) > 4 and serial[0] == "0"):
        message = "the serial of a dossier code counts from 0001 and is padded to four digits only"
        raise CodeError(message)
    return code
