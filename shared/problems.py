"""Errors as `application/problem+json` (RFC 9457), with a stable `type` and never the input."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


def refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """What a route with a token may answer besides its own, for the OpenAPI document; `more` are further codes."""
    return {code: {"description": _MEANINGS[code], "content": {MEDIA_TYPE: {}}} for code in (401, 403, 503, *more)}


_MEANINGS = {
    401: "No valid token",
    403: "Not allowed with this role or for this agency",
    404: "Not known, or not the caller's business",
    409: "Refused as things stand; the problem says why",
    413: "The body is too large",
    503: "Not available now; try again after Retry-After",
}


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """An answer that says what is wrong. `type` is `urn:motcua:problem:<slug>`."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        *,
        detail: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(title)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail
        self.headers, self.more = headers or {}, more

    def body(self) -> dict[str, Any]:
        """The problem as an object."""
        body = {"type": f"urn:motcua:problem:{self.slug}", "title": self.title, "status": self.status, **self.more}
        return body if self.detail is None else body | {"detail": self.detail}

    def answer(self) -> JSONResponse:
        """The problem as an HTTP answer."""
        return JSONResponse(self.body(), self.status, self.headers, MEDIA_TYPE)


def faults_of(error: ValidationError | RequestValidationError) -> list[dict[str, str]]:
    """Every fault at once: where it is and which rule it breaks, without the input."""
    return [
        {
            "pointer": "/" + "/".join(str(part) for part in fault["loc"]),
            "rule": str(fault["msg"]),
            "code": str(fault["type"]),
        }
        for fault in error.errors()
    ]


def invalid(error: ValidationError | RequestValidationError) -> Problem:
    """422 with all faults."""
    return Problem(422, "invalid", "The content is not valid", errors=faults_of(error))


def unavailable(detail: str = "The database does not answer now; nothing was done as far as we know") -> Problem:
    """503: try again."""
    return Problem(503, "unavailable", "Not available now", detail=detail, headers={"Retry-After": "2"})


async def on_problem(_: Request, problem: Exception) -> JSONResponse:
    """Handler of `Problem`."""
    assert isinstance(problem, Problem)  # noqa: S101 - FastAPI's handler type is wider than its registration
    return problem.answer()


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Handler of FastAPI's own validation of parameters and bodies."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    return invalid(error).answer()


async def on_crash(_: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - nothing of it is told
    """Handler of everything unforeseen: 500 without a word of what it was; the server logs it."""
    return Problem(500, "internal", "Something went wrong here", detail="it has been logged").answer()


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """Handler of the router's 404 and 405."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    if error.status_code == 400:  # FastAPI's word for a body that it cannot even read; any other fault in it is 422
        fault = {"pointer": "/body", "rule": "must be JSON in UTF-8, and not nested too deeply", "code": "json_invalid"}
        return Problem(422, "invalid", "The content is not valid", errors=[fault]).answer()
    slug = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, f"http-{error.status_code}")
    return Problem(error.status_code, slug, str(error.detail), headers=dict(error.headers or {})).answer()
