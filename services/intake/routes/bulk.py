"""`POST /v1/cases/bulk`: NDJSON in, NDJSON out, both streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from services.intake.bulk import SilentError, Take, answer_lines, written
from services.intake.domain.filing import PAST, Filer
from services.intake.domain.lines import LONGEST_LINE, Line
from services.intake.domain.submission import SubmissionLine
from services.intake.handlers import Desk, ForbiddenError
from services.intake.opening import NewCase, Opening, Openings, Outcome
from services.intake.routes.filing import Who, filer_of
from services.intake.routes.problems import key_conflict, problem_of
from services.intake.routes.schemas import flat_schema
from shared.contracts.words import Lane
from shared.problems import Problem

BULK_PATH: Final = "/v1/cases/bulk"
STALLED_SECONDS: Final = 60.0
NDJSON: Final = "application/x-ndjson"
DryRun = Annotated[bool, Query(description="Only look at the lines: 200 to each that could be filed; nothing is stored.")]
T = TypeVar("T")
log = structlog.get_logger()


class DuplexResponse(StreamingResponse):
    """A stream that is written while the request's body is still read.

    Starlette's own waits for a disconnect by receiving, and so would take the body's chunks away from us.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the base's signature
        """Write the answers to the end, or until the client has taken none for `STALLED_SECONDS`."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

        try:
            await self.stream_response(send_in_time)
        except TimeoutError:
            log.info("a bulk upload was given up: the client takes no answers")


def add_bulk_route(router: APIRouter, desk: Desk, silence: float) -> None:
    """The route of bulk uploads; `silence` is the longest pause of a sender, in seconds."""

    @router.post(
        BULK_PATH,
        tags=["cases"],
        summary="File many cases",
        response_class=DuplexResponse,
        responses={
            200: {"description": "A line for each line sent, in order", "content": {NDJSON: {"schema": ANSWER_SCHEMA}}},
            401: {"description": "No valid token"},
            403: {"description": "The role may not file"},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "A case a line with its `idempotency_key`, at most 64 KiB; empty lines are skipped",
                "content": {NDJSON: {"schema": flat_schema(SubmissionLine)}},
            }
        },
    )
    async def file_cases(request: Request, who: Who, *, dry_run: DryRun = False) -> DuplexResponse:
        take = (make_check if dry_run else make_take)(desk, filer_of(who))
        answers = answer_lines(aiter(request.stream()), take, silence)
        return DuplexResponse(_to_the_end(answers), media_type=NDJSON)


def make_take(desk: Desk, filer: Filer) -> Take:
    """What takes lines for this filer."""

    async def take(lines: Sequence[Line]) -> asyncio.Future[bytes]:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        read = [_read(line, lambda content: desk.read_line(content, filer)) for line in lines]
        committed = await desk.file_together([entry for entry in read if isinstance(entry, NewCase)])
        committed.add_done_callback(lambda done: _hand_over(answer, done, desk, lines, read))
        return answer

    return take


def make_check(desk: Desk, filer: Filer) -> Take:
    """What only looks at lines: 200 to each that this filer may file, and nothing is stored."""

    async def take(lines: Sequence[Line]) -> asyncio.Future[bytes]:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        read = [_read(line, lambda content: desk.check_line(content, filer)) for line in lines]
        told = zip(lines, read, strict=True)
        answer.set_result(b"".join(problem or written({"line": line.number, "status": 200}) for line, problem in told))
        return answer

    return take


def _read(line: Line, read: Callable[[bytes], T]) -> T | bytes:
    """What is read of a line, or the answer to a line that cannot be filed."""
    if line.content is None:
        too_long = Problem(413, "too-large", "The line is too long", detail=f"at most {LONGEST_LINE} bytes")
        return _refused(line, too_long)
    try:
        return read(line.content)
    except Exception as error:  # noqa: BLE001 - told as the line's problem, unforeseen ones are logged
        return _refused(line, problem_of(error))


def _hand_over(
    answer: asyncio.Future[bytes], done: asyncio.Future[Openings], desk: Desk, lines: Sequence[Line], read: list[NewCase | bytes]
) -> None:
    """Answer the lines, once those that make a case are committed."""
    if done.cancelled():  # a shutdown
        answer.cancel()
        return
    openings, told = iter(done.result()), zip(lines, read, strict=True)
    content = b"".join(entry if isinstance(entry, bytes) else _answer(line, next(openings), desk) for line, entry in told)
    if not answer.done():  # a client that left has cancelled it
        answer.set_result(content)


def _answer(line: Line, opening: Opening | Exception, desk: Desk) -> bytes:
    if isinstance(opening, Exception):
        desk.metrics.count_failure(Lane.BULK, opening)
        return _refused(line, problem_of(opening))
    desk.metrics.count(Lane.BULK, opening.outcome)
    if opening.outcome is Outcome.CONFLICT:
        return _refused(line, key_conflict())
    if opening.outcome is Outcome.FORBIDDEN:
        return _refused(line, problem_of(ForbiddenError(PAST)))
    status = 201 if opening.outcome is Outcome.OPENED else 200
    return f'{{"line":{line.number},"status":{status},"case_id":"{opening.case_id}"}}\n'.encode()


def _refused(line: Line, problem: Problem) -> bytes:
    return written({"line": line.number, "status": problem.status, "problem": problem.body()})


async def _to_the_end(answers: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The answers; what ended the upload early is said in a last line without a number."""
    try:
        async for lines in answers:
            yield lines
    except ClientDisconnect:
        log.info("a bulk upload was cut off; what was answered is committed")
    except SilentError:
        problem = Problem(408, "silent", "Nothing came for too long", detail="send the lines without an answer again")
        yield written({"line": None, "status": problem.status, "problem": problem.body()})


ANSWER_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["line", "status"],
    "properties": {
        "line": {
            "type": ["integer", "null"],
            "description": "number of the line sent, from 1; null ends a broken upload",
        },
        "status": {"type": "integer", "description": "201 opened, 200 known, 4xx and 5xx as for POST /v1/cases"},
        "case_id": {"type": "string", "format": "uuid"},
        "problem": {"type": "object"},
    },
}
