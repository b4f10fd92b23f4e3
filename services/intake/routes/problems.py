"""Why a filing failed, as a problem; the same for a single filing and for a line of a bulk upload."""

from __future__ import annotations

from typing import Any, Final

import structlog

from services.intake.domain.submission import NotValidError
from services.intake.group_commit import UnavailableError
from services.intake.handlers import ForbiddenError
from shared.problems import MEDIA_TYPE, Problem, unavailable

NOT_VALID: Final[dict[int | str, dict[str, Any]]] = {
    422: {"description": "Not valid; `errors` lists the faults, 100 at most", "content": {MEDIA_TYPE: {}}}
}
log = structlog.get_logger()


def problem_of(error: BaseException) -> Problem:
    """The problem of an error that `Desk` raised; anything unforeseen is logged and answered with 500."""
    match error:
        case NotValidError():
            detail = f"{error.more} more faults are not listed" if error.more else None
            errors = [fault.as_dict() for fault in error.faults]
            return Problem(422, "invalid", "The content is not valid", detail=detail, errors=errors)
        case ForbiddenError():
            return Problem(403, error.refusal.slug, "Not allowed", detail=error.refusal.sentence)
        case UnavailableError():
            return unavailable("Nothing was done as far as we know; send it again with the same key")
        case _:
            log.error("a case could not be committed", error=type(error).__name__, exc_info=error)
            return Problem(500, "internal", "The case could not be committed", detail="it has been logged")


def key_conflict() -> Problem:
    """409: the key opened a case with other content."""
    return Problem(
        409, "idempotency-key-reused", "The key was used before", detail="this key has opened a case with other content"
    )
