"""The people of a filing: the applicant, and who acts for them. All of it is personal data.

It is kept and sent encrypted only (Decree 13/2023/NĐ-CP, art. 3).
"""

from __future__ import annotations

from typing import Annotated, Final
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from shared.contracts.model import Code
from shared.contracts.private import Email, Phone

_CONTROL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LINES: Final = str.maketrans("", "", "\n\r\t")


def _no_control_characters(value: str) -> str:
    if not value.isprintable() and any(category(letter) in _CONTROL for letter in value):
        raise ValueError("must hold no control characters")
    return value


def _lines(value: str) -> str:
    _no_control_characters(value.translate(_LINES))
    return value


Address = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_no_control_characters)]
Account = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_no_control_characters)]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_control_characters)]
Mail = Annotated[Email, AfterValidator(_no_control_characters)]
IdNumber = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{12}|[0-9]{9})$")]
"""A citizen's number: CCCD of 12 digits, or the older CMND of 9."""
FreeText = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_lines)]
Language = Annotated[str, StringConstraints(pattern=r"^(vi|en)$")]


class Filed(BaseModel):
    """What every part of a filing has in common."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Applicant(Filed):
    """Who files, and where and in which language to tell them."""

    name: PersonName | None = None
    email: Mail | None = None
    phone: Phone | None = None
    language: Language = "vi"
    id_number: IdNumber | None = None
    address: Address | None = None


class Representative(Filed):
    """Who acts for the applicant, by an authorisation whose document has this code (Decree 61/2018/NĐ-CP, art. 16)."""

    name: PersonName
    document: Code
    phone: Phone | None = None
    email: Mail | None = None
