"""Dossier codes in what a citizen said.

Only the forms that stand out in a text: 2018 (Circular 01/2018/TT-VPCP, art. 19) and from 2020 on (Decision 20/2020/QĐ-TTg,
Circular 04/2025/TT-VPCP, art. 23.2), with a date that exists.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_CODE: Final = re.compile(
    r"(?<![A-Za-z0-9.])"
    r"(?:\d{3}\.\d{2}\.\d{2}\.[A-Za-z]\d{2}-(?P<short>\d{6})|[A-Za-z]\d{2}(?:\.\d{2,3}){1,3}-(?P<day>\d{8}|\d{6}))"
    r"-\d{4,12}(?![A-Za-z0-9])",
    re.ASCII,
)


def find_code(text: str) -> str | None:
    """The first dossier code in a text, in capital letters; or None."""
    return next((match[0].upper() for match in _CODE.finditer(text) if _is_date(match["short"] or match["day"])), None)


def _is_date(digits: str) -> bool:
    try:
        datetime.strptime(digits, "%y%m%d" if len(digits) == 6 else "%Y%m%d")  # noqa: DTZ007 - a date without a time of day
    except ValueError:
        return False
    return True
