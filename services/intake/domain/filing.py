"""Who may file what: the role and the agency of a token against the content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.intake.domain.submission import Submission
from shared.contracts.words import Origin

IMPORTER: Final = "importer"
ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True)
class Filer:
    """Who files: the token's subject and role, and its agency; no agency means any."""

    subject: str
    role: str
    agency: str | None

    @property
    def scope(self) -> str:
        """Whose idempotency keys these are: the agency's, or the subject's own."""
        return f"agency:{self.agency}" if self.agency is not None else f"subject:{self.subject}"

    def may_file_for(self, agency: str) -> bool:
        """Whether this agency's cases are this filer's business."""
        return self.role == ADMIN or self.agency is None or self.agency == agency


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why this filer may not file this: the problem's slug and a sentence."""

    slug: str
    sentence: str


PAST: Final = Refusal("importer-only", "filed_at more than 5 minutes in the past needs the role importer")
"""The one refusal that a lapse of time alone brings: who sends a filing again may meet it."""
WRONG_AGENCY: Final = Refusal("wrong-agency", "the token's agency may not file cases of another agency")


def refuse(filer: Filer, submission: Submission, now: datetime) -> Refusal | None:
    """Why the filing is forbidden, or None.

    A past filing, and one of a replay or an import, needs the role `importer` (ARCHITECTURE §7). A postal dossier is past when it
    was handed over more than a week ago.
    """
    if not filer.may_file_for(submission.agency):
        return WRONG_AGENCY
    if filer.role == IMPORTER:
        return None
    if submission.origin is not Origin.LIVE:
        return Refusal("importer-only", "the origins replay and import need the role importer")
    if submission.is_past(now):
        return PAST
    return None
