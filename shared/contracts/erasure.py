"""Why the personal data of a case may be erased."""

from __future__ import annotations

from enum import StrEnum


class ErasureReason(StrEnum):
    """Why personal data are erased: a code, never a word about a person."""

    PERSON_ASKED = "person_asked"
    FILED_BY_MISTAKE = "filed_by_mistake"
    NO_LONGER_NEEDED = "no_longer_needed"
    ORDERED = "ordered"
    """By a court, or by an authority that may order it."""
