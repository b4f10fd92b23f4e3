"""What intake does: make a case of a valid submission, and follow its completion for the public."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from ormsgpack import packb
from uuid_utils import uuid7

from services.intake import repository
from services.intake.domain.case import Case, follow
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
from shared.contracts.envelope import Envelope
from shared.contracts.events import CaseSubmitted
from shared.contracts.private import Contact, contact_context
from shared.contracts.words import Lane, Origin
from shared.messaging.delivery import Delivery
from shared.observability.failpoints import reach
from shared.persistence.work import Store, Work, private_headers
from shared.security.cipher import Cipher

SERVICE: Final = "intake"
_S = TypeVar("_S", bound=Submission)


class Outcome(StrEnum):
    """What became of a valid submission."""

    OPENED = "opened"
    KNOWN = "known"
    """Its key had opened this very case before."""
    CONFLICT = "conflict"
    """Its key had opened a case with other content."""


class Opening(NamedTuple):
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
        case_id, filed_at = repository.make_case_id(), submission.filed_at or now
        event_headers, event = _submitted(case_id, submission, filed_at, lane, now)
        contact, told_headers, told = self._contact(case_id, submission, now)
        return NewCase(
            case_id,
            filer.scope,
            key,
            self.cipher.digest(submission.canonical()),
            submission.agency,
            submission.kind,
            submission.procedure,
            submission.channel,
            submission.return_channel,
            repository.array_text(submission.documents),
            filed_at,
            now,
            submission.origin,
            lane,
            contact,
            event_headers,
            event,
            told_headers,
            told,
        )

    def _contact(self, case_id: UUID, submission: Submission, now: datetime) -> tuple[bytes | None, bytes | None, bytes | None]:
        """The applicant's ciphertext to keep, and headers and ciphertext to publish."""
        contact = submission.applicant and submission.applicant.contact()
        if contact is None and submission.origin is not Origin.LIVE:
            return None, None, None
        # a live case without a contact says so, or its first message would wait for one
        told = (contact or Contact()).model_dump_json(exclude_none=True).encode()
        sealed = self.cipher.encrypt(told, contact_context(case_id))
        headers = private_headers(SERVICE, str(case_id), repository.CONTACT, submission.agency, now)
        return (None if contact is None else sealed), headers, sealed


def _submitted(case_id: UUID, filed: Submission, filed_at: datetime, lane: Lane, now: datetime) -> tuple[bytes, bytes]:
    """`case.submitted`: its headers as the outbox keeps them, and its body. Nobody else can know this case: it is the first."""
    event = CaseSubmitted(
        agency=filed.agency,
        kind=filed.kind,
        procedure=filed.procedure,
        channel=filed.channel,
        filed_at=filed_at,
        documents=filed.documents,
        return_channel=filed.return_channel,
        lane=lane,
    )
    envelope = Envelope(
        str(uuid7()), event.type, f"/{SERVICE}", str(case_id), filed.agency, filed_at, now, filed.origin, sequence=1
    )  # fmt: skip
    return packb(envelope.to_headers()), event.model_dump_json().encode()


def make_commit(store: Store[Case], metrics: IntakeMetrics) -> Callable[[Sequence[NewCase]], Awaitable[list[Opening]]]:
    """What group commits call: everything of these cases in one transaction."""

    async def commit(cases: Sequence[NewCase]) -> list[Opening]:
        metrics.group_cases.observe(len(cases))
        with metrics.commit_seconds.time():
            return await open_cases(store, cases)

    return commit


async def open_cases(store: Store[Case], cases: Sequence[NewCase]) -> list[Opening]:
    """Open the cases whose keys are free; of one key within the group, the first counts."""
    first: dict[repository.KeyOf, NewCase] = {}
    for new in cases:
        first.setdefault((new.scope, new.key), new)
    async with store.database.driver() as driver:
        await reach("before_commit")
        opened = frozenset(await repository.open_new(driver, list(first.values())))
        await reach("after_commit")
        if opened:
            store.on_commit()
        taken = [new for new in cases if new.case_id not in opened]
        known = await repository.find_keys(driver, taken) if taken else {}
    return [_answer(new, opened, known) for new in cases]


def _answer(new: NewCase, opened: frozenset[UUID], known: dict[repository.KeyOf, tuple[bytes, UUID]]) -> Opening:
    if new.case_id in opened:
        return Opening(new.case_id, Outcome.OPENED)
    digest, case_id = known[new.scope, new.key]
    same = hmac.compare_digest(digest, new.digest)
    return Opening(case_id, Outcome.KNOWN if same else Outcome.CONFLICT)


async def follow_cases(work: Work[Case], deliveries: Sequence[Delivery]) -> None:
    """Keep code and completion of each case as its events say."""
    for delivery in deliveries:
        if delivery.case_id is not None:
            locked = work.cases[delivery.case_id]
            locked.state = follow(locked.state, delivery.body)
