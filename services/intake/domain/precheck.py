"""The pre-check: what is missing against the procedure's documents, and for the result's return, before anyone files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from services.intake.domain import submission
from services.intake.domain.faults import Fault
from services.intake.domain.people import Applicant
from services.intake.domain.stating import Documents, check_documents, version_of
from services.intake.domain.submission import FiledAt, FilingRules, Submission
from shared.catalogue.conduct import Document
from shared.contracts.model import Code, Slug
from shared.contracts.words import Channel, Origin

MISSING = "document_missing"
_NOBODY: Final = Applicant()


class PreCheck(NamedTuple):
    """What a valid filing lacks: how its documents stand, and what its way of return still needs, None when nothing."""

    documents: Documents
    return_needs: str | None


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """None instead of a fault, which somebody else tells."""
    try:
        return read(value)
    except ValueError:
        return None


_Moment = Annotated[FiledAt | None, WrapValidator(_or_none)]


class _Named(BaseModel):
    """What of a faulty body still tells its documents, and when it was filed."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    agency: Slug
    procedure: Code
    documents: submission.Documents = ()
    filed_at: _Moment = None
    handed_over_at: _Moment = None


def pre_check(filed: Submission, rules: FilingRules) -> PreCheck:
    """What a valid filing lacks."""
    version = version_of(rules.catalogue, filed.agency, filed.procedure, filed.moment or rules.now)
    return PreCheck(check_documents(version, filed.documents), return_needs(filed))


def return_needs(filed: Submission) -> str | None:
    """By post a result needs an address, online an e-mail or an account. It may be told later, so it is no fault of a filing.

    Other systems' logs say how results were returned, and not where.
    """
    if filed.origin is not Origin.LIVE:
        return None
    applicant = filed.applicant or _NOBODY
    if filed.return_channel is Channel.POST and not (applicant.address or filed.return_address):
        return "`return_address`, or the applicant's `address`"
    places = applicant.email or filed.return_email or filed.return_account or filed.portal_account
    if filed.return_channel is Channel.ONLINE and not places:
        return "`return_email` or `return_account`, or the applicant's `email` or `portal_account`"
    return None


def missing_of(raw: bytes, rules: FilingRules) -> list[Fault]:
    """A fault for each missing document of a body with other faults, where it says enough to tell."""
    try:
        named = _Named.model_validate_json(raw)
    except ValidationError:
        return []
    moment: datetime = named.handed_over_at or named.filed_at or rules.now
    version = version_of(rules.catalogue, named.agency, named.procedure, moment)
    return [_fault(document) for document in check_documents(version, named.documents).missing]


def _fault(document: Document) -> Fault:
    return Fault("/documents", f"must name {document.code}: {document.name.vi} ({document.name.en})", MISSING)
