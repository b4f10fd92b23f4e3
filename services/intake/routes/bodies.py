"""Small JSON bodies that the desk reads: their size, and the problems of what they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from services.intake.domain.submission import NotValidError
from services.intake.handlers import ForbiddenError
from services.intake.routes.filing import LARGEST_BODY
from services.intake.routes.problems import problem_of
from shared.problems import Problem

T = TypeVar("T")


async def read_body(request: Request, read: Callable[[bytes], T]) -> T:
    """What `read` makes of the body.

    Raises:
        Problem: It is too large, not valid, or not this filer's business.
    """
    raw = await request.body()
    if len(raw) > LARGEST_BODY:
        raise Problem(413, "too-large", "The body is too large", detail=f"at most {LARGEST_BODY} bytes")
    try:
        return read(raw)
    except (NotValidError, ForbiddenError) as error:
        raise problem_of(error) from None
