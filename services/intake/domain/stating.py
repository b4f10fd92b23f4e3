"""What is stated of a filing: `case.submitted`, and how its documents stand against the procedure's list."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from services.intake.domain.submission import CHANNEL_OF, Submission
from shared.calendar import local_date
from shared.catalogue import Catalogue, LimitVersion
from shared.catalogue.conduct import Document
from shared.contracts.events import CaseSubmitted
from shared.contracts.words import NATIONAL_CHANNELS, Lane, Origin

_KEPT: Final = {*CHANNEL_OF, "pre_intake_id", "matter"} - {"portal_account"}
"""Facts of channels, and what feedback is about: nothing personal."""


class Documents(NamedTuple):
    """A filing's documents against the procedure's list.

    `missing` are required and were not named; `unlisted` were named and nobody may ask for them (Decree 61/2018/NĐ-CP,
    art. 5). `complete` is None where no list is known from a source.
    """

    complete: bool | None
    missing: tuple[Document, ...] = ()
    unlisted: tuple[str, ...] = ()


def version_of(catalogue: Catalogue, agency: str, procedure: str, at: datetime) -> LimitVersion | None:
    """The version of an agency's procedure in force at a moment."""
    known = catalogue.of(agency).get(procedure)
    return None if known is None else known.version_at(local_date(at))


def check_documents(version: LimitVersion | None, filed: tuple[str, ...]) -> Documents:
    """Hold the filed documents against the list, everything at once."""
    missing = None if version is None else version.missing(filed)
    if version is None or missing is None:
        return Documents(None)
    listed = {document.code for document in version.documents}
    return Documents(not missing, missing, tuple(code for code in filed if code not in listed))


def are_complete(filed: Submission, filed_at: datetime, catalogue: Catalogue) -> bool | None:
    """Whether all required documents were there at this filing.

    None where no list is known, where the filing does not state its documents (an empty list states them), and for what another
    system took in: its log does not tell which papers it saw.
    """
    if "documents" not in filed.model_fields_set or filed.origin is not Origin.LIVE:
        return None
    known = catalogue.of(filed.agency).get(filed.procedure)
    if known is None or not any(version.documents for version in known.limits):  # most of them: no date need be asked
        return None
    version = known.version_at(local_date(filed_at))
    return None if version is None else version.is_complete(filed.documents)


def facts_of(filed: Submission) -> str | None:
    """The channel's own facts as JSON, None when none was given."""
    if filed.model_fields_set.isdisjoint(_KEPT):
        return None
    text: bytes = filed.__pydantic_serializer__.to_json(filed, include=_KEPT, exclude_none=True)
    return None if text == b"{}" else text.decode()


def submitted(filed: Submission, filed_at: datetime, lane: Lane, complete: bool | None) -> CaseSubmitted:
    """The fact that it was filed; nothing personal."""
    return CaseSubmitted(
        agency=filed.agency,
        kind=filed.kind,
        procedure=filed.procedure,
        channel=filed.channel,
        filed_at=filed_at,
        documents=filed.documents,
        return_channel=filed.return_channel,
        lane=lane,
        national_channel=NATIONAL_CHANNELS.get(filed.channel),
        counter=filed.counter,
        online_level=filed.online_level,
        postal_record=filed.postal_record,
        authorised=filed.representative is not None,
        documents_complete=complete,
        pre_intake_id=filed.pre_intake_id,
        matter=filed.matter,
    )
