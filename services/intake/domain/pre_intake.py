"""A pre-intake: what the hotline notes of a dossier that somebody means to file, and nothing of the person.

The hotline is no filing channel (Decree 61/2018/NĐ-CP, art. 15.2.b and 16): it guides, and what it must keep is its guidance. A
case comes from it when a counter, the portal or the post files the dossier and names the pre-intake. Who called is known to the
call centre, by the code of the call.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import ValidationError, ValidationInfo, field_validator

from services.intake.domain.faults import Fault, NotValidError, not_valid
from services.intake.domain.people import Filed
from services.intake.domain.submission import Documents, FiledAt, FilingRules, check_procedure
from shared.contracts.model import Code, Slug
from shared.contracts.words import Kind


class PreIntake(Filed):
    """The dossier that was spoken of, the papers that the caller has, and when to call back."""

    agency: Slug
    kind: Literal[Kind.DOSSIER] = Kind.DOSSIER
    procedure: Code
    documents: Documents = ()
    call: Code | None = None
    callback_at: FiledAt | None = None

    @field_validator("procedure")
    @classmethod
    def _in_the_catalogue(cls, code: str, info: ValidationInfo) -> str:
        return check_procedure(code, info)


async def refuse_pre_intake(_wanted: UUID, _agency: str) -> None:
    """Raise NotValidError: the agency has no pre-intake of this id."""
    raise NotValidError([Fault("/pre_intake_id", "must be a pre-intake of this agency", "unknown_pre_intake")])


async def ignore_pre_intake(_wanted: UUID) -> None:
    """Note nothing."""


def read_pre_intake(raw: bytes, rules: FilingRules) -> PreIntake:
    """Read one JSON document.

    Raises:
        NotValidError: With its faults.
    """
    try:
        return PreIntake.model_validate_json(raw, context=rules)
    except ValidationError as error:
        raise not_valid(error) from None
