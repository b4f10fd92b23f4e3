"""What intake does: make a case of a valid submission, and follow its completion for the public."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from services.intake import repository
from services.intake.domain.case import Case, Completion, follow
from services.intake.domain.filing import Filer, Refusal, refuse
from services.intake.domain.submission import (
    FilingRules,
    NotValidError,
    Submission,
    SubmissionLine,
    check_idempotency_key,
    read_submission,
)
from services.intake.group_commit import GroupCommit
from services.intake.metrics import IntakeMetrics
from services.intake.repository import NewCase
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.contracts.events import CaseSubmitted
from shared.contracts.private import Contact, contact_context
from shared.contracts.words import Lane, Origin
from shared.messaging.delivery import Delivery
from shared.persistence.work import Locked, Store, Stream, Work
from shared.security.cipher import Cipher

CONTACT: Final = "contact"
CASES_AT_ONCE: Final = 100
_S = TypeVar("_S", bound=Submission)


class Outcome(StrEnum):
    """What became of a valid submission."""

    OPENED = "opened"
    KNOWN = "known"
    """Its key had opened this very case before."""
    CONFLICT = "conflict"
    """Its key had opened a case with other content."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The answer to a submission: the case that its key stands for."""

    case_id: UUID
    outcome: Outcome


class ForbiddenError(Exception):
    """This filer may not file this."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason."""
        super().__init__(refusal.slug)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Desk:
    """Where submissions arrive: checked, then committed in the group of their lane."""

    catalogue: Catalogue
    clock: Clock
    cipher: Cipher
    metrics: IntakeMetrics
    lanes: Mapping[Lane, GroupCommit[NewCase, Opening]]

    async def file(self, raw: bytes, key: str | None, filer: Filer) -> Opening:
        """Open the case of one body, or find the one its key opened.

        Raises:
            NotValidError: With every fault of header and body.
            ForbiddenError: The content is another agency's, or needs the role importer.
            UnavailableError: Nothing was committed as far as we know; the same key is safe to send again.
        """
        faults = check_idempotency_key(key)
        try:
            submission, now = self._read(Submission, raw, filer, Lane.INTERACTIVE)
        except NotValidError as error:
            raise NotValidError(faults + error.faults) from None
        if key is None or faults:
            self.metrics.count(Lane.INTERACTIVE, "invalid")
            raise NotValidError(faults)
        try:
            opening = await self.lanes[Lane.INTERACTIVE].submit(self._prepare(submission, filer, key, Lane.INTERACTIVE, now))
        except Exception as error:
            self.metrics.count_failure(Lane.INTERACTIVE, error)
            raise
        self.metrics.count(Lane.INTERACTIVE, opening.outcome)
        return opening

    async def file_line(self, raw: bytes, filer: Filer) -> asyncio.Future[Opening]:
        """Queue one bulk line; waits while the queue is full. Raises as `file` does, the future UnavailableError."""
        line, now = self._read(SubmissionLine, raw, filer, Lane.BULK)
        return await self.lanes[Lane.BULK].wait_and_submit(self._prepare(line, filer, line.idempotency_key, Lane.BULK, now))

    def _read(self, model: type[_S], raw: bytes, filer: Filer, lane: Lane) -> tuple[_S, datetime]:
        """A valid submission that this filer may file, and the time of its arrival."""
        now = self.clock()
        try:
            submission = read_submission(model, raw, FilingRules(self.catalogue, now))
        except NotValidError:
            self.metrics.count(lane, "invalid")
            raise
        refusal = refuse(filer, submission, now)
        if refusal is not None:
            self.metrics.count(lane, "forbidden")
            raise ForbiddenError(refusal)
        return submission, now

    def _prepare(self, submission: Submission, filer: Filer, key: str, lane: Lane, now: datetime) -> NewCase:
        """Make the case that the submission becomes unless its key is known."""
        digest = self.cipher.digest(submission.canonical())
        return NewCase(uuid7(), filer.scope, key, digest, submission, submission.filed_at or now, lane)


def make_commit(
    store: Store[Case], cipher: Cipher, metrics: IntakeMetrics
) -> Callable[[Sequence[NewCase]], Awaitable[list[Opening]]]:
    """What group commits call: everything of these cases in one transaction."""

    async def commit(cases: Sequence[NewCase]) -> list[Opening]:
        metrics.group_cases.observe(len(cases))
        with metrics.commit_seconds.time():
            async with store.open(()) as work:
                openings = await open_cases(work, cases, cipher)
        return openings

    return commit


async def open_cases(work: Work[Case], cases: Sequence[NewCase], cipher: Cipher) -> list[Opening]:
    """Open the cases whose keys are free; of one key within the group, the first counts."""
    first: dict[repository.KeyOf, NewCase] = {}
    for new in cases:
        first.setdefault((new.scope, new.key), new)
    free = await repository.claim_keys(work.tx, list(first.values()))
    await _write(work, [new for new in first.values() if new.case_id in free], cipher)
    taken = [new for new in cases if new.case_id not in free]
    known = await repository.find_keys(work.tx, taken) if taken else {}
    return [_answer(new, free, known) for new in cases]


def _answer(new: NewCase, free: set[UUID], known: dict[repository.KeyOf, tuple[bytes, UUID]]) -> Opening:
    if new.case_id in free:
        return Opening(new.case_id, Outcome.OPENED)
    digest, case_id = known[new.scope, new.key]
    same = hmac.compare_digest(digest, new.digest)
    return Opening(case_id, Outcome.KNOWN if same else Outcome.CONFLICT)


async def _write(work: Work[Case], cases: Sequence[NewCase], cipher: Cipher) -> None:
    """State `case.submitted`, publish the contact, and write the rows with COPY: nobody else can know these ids yet."""
    if not cases:
        return
    applicants = []
    state = Case(completion=Completion.REGISTERED.value)
    for number, new in enumerate(cases, 1):
        if number % CASES_AT_ONCE == 0:
            await asyncio.sleep(0)  # a large group must not keep a counter's answer waiting
        stream = Stream(new.case_id)
        work.cases[new.case_id] = Locked(stream, state, (stream, state))
        _emit_submitted(work, new)
        contact = new.submission.applicant and new.submission.applicant.contact()
        if contact is not None or new.submission.origin is Origin.LIVE:
            # a live case without a contact says so, or its first message would wait for one
            told = (contact or Contact()).model_dump_json(exclude_none=True).encode()
            sealed = cipher.encrypt(told, contact_context(new.case_id))
            if contact is not None:
                applicants.append((new.case_id, sealed))
            work.emit_private(new.case_id, CONTACT, sealed, agency=new.submission.agency, lane=new.lane)
    rows = [(new.case_id, work.cases.pop(new.case_id).stream.stated, Completion.REGISTERED.value) for new in cases]
    await repository.insert_cases(work.tx, rows)
    await repository.insert_submissions(work.tx, cases)
    await repository.insert_applicants(work.tx, applicants)


def _emit_submitted(work: Work[Case], new: NewCase) -> None:
    filed = new.submission
    event = CaseSubmitted(
        agency=filed.agency,
        kind=filed.kind,
        procedure=filed.procedure,
        channel=filed.channel,
        filed_at=new.filed_at,
        documents=filed.documents,
        return_channel=filed.return_channel,
        lane=new.lane,
    )
    work.emit(new.case_id, event, occurred_at=new.filed_at, cause=None, origin=filed.origin, lane=new.lane)


async def follow_cases(work: Work[Case], deliveries: Sequence[Delivery]) -> None:
    """Keep code and completion of each case as its events say."""
    for delivery in deliveries:
        if delivery.case_id is not None:
            locked = work.cases[delivery.case_id]
            locked.state = follow(locked.state, delivery.body)
