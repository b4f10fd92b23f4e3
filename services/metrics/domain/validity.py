"""Whether a dossier was complete and correct at its first filing: nothing was missing, asked for, or refused and filed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.metrics.domain.case import Case
from shared.contracts.events import CaseEvent, CaseRefused, CaseSubmitted, DuplicateSuspected, SupplementRequested

OF_DOCUMENTS = frozenset(
    {
        "incomplete", "missing_documents", "documents_missing", "document_expired", "document_unreadable", "document_wrong",
        "information_differs",
    }
)  # fmt: skip
"""Reasons of a refusal for which a supplement can be asked, too: the documents, and not the matter."""


def _submitted(case: Case, event: CaseSubmitted) -> None:
    case.documents_complete = event.documents_complete


def _refused(case: Case, event: CaseRefused) -> None:
    case.refused_for_documents = case.refused_for_documents or event.reason in OF_DOCUMENTS


def _supplemented(case: Case, _event: SupplementRequested) -> None:
    case.supplemented = True


def _filed_again(case: Case, event: DuplicateSuspected) -> None:
    """Of several, the same one whatever the order."""
    case.refiled_from = max(filter(None, (case.refiled_from, event.other_case_id)))


VALIDITY: dict[type[CaseEvent], Callable[[Case, Any], None]] = {
    CaseSubmitted: _submitted,
    CaseRefused: _refused,
    SupplementRequested: _supplemented,
    DuplicateSuspected: _filed_again,
}
"""What a fact says of it; no fact takes it back, so any order of arrival ends the same."""
