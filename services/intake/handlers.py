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
from services.intake.repository import FiledRow
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
CASES_AT_ONCE: Final = 100
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


class NewCase(NamedTuple):
    """A valid submission that waits to become a case."""

    case_id: UUID
    scope: str
    key: str
    digest: bytes
    submission: Submission
    filed_at: datetime
    lane: Lane


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
        return NewCase(repository.make_case_id(), filer.scope, key, digest, submission, submission.filed_at or now, lane)


def make_commit(
    store: Store[Case], cipher: Cipher, metrics: IntakeMetrics, clock: Clock
) -> Callable[[Sequence[NewCase]], Awaitable[list[Opening]]]:
    """What group commits call: everything of these cases in one transaction."""

    async def commit(cases: Sequence[NewCase]) -> list[Opening]:
        metrics.group_cases.observe(len(cases))
        first: dict[repository.KeyOf, NewCase] = {}
        for new in cases:  # of one key within the group, the first counts
            first.setdefault((new.scope, new.key), new)
        rows, now = [], clock()
        for number, new in enumerate(first.values(), 1):
            rows.append(make_row(new, cipher, now))
            if number % CASES_AT_ONCE == 0:
                await asyncio.sleep(0)  # a large group must not keep a counter's answer waiting
        with metrics.commit_seconds.time():
            return await open_cases(store, cases, rows)

    return commit


async def open_cases(store: Store[Case], cases: Sequence[NewCase], rows: Sequence[FiledRow]) -> list[Opening]:
    """Open the cases whose keys are free; `rows` has one for each key."""
    async with store.database.driver() as driver:
        await reach("before_commit")
        opened = frozenset(await repository.open_new(driver, rows))
        await reach("after_commit")
        if opened:
            store.on_commit()
        taken = [(new.scope, new.key) for new in cases if new.case_id not in opened]
        known = await repository.find_keys(driver, taken) if taken else {}
    return [_answer(new, opened, known) for new in cases]


def _answer(new: NewCase, opened: frozenset[UUID], known: dict[repository.KeyOf, tuple[bytes, UUID]]) -> Opening:
    if new.case_id in opened:
        return Opening(new.case_id, Outcome.OPENED)
    digest, case_id = known[new.scope, new.key]
    same = hmac.compare_digest(digest, new.digest)
    return Opening(case_id, Outcome.KNOWN if same else Outcome.CONFLICT)


def make_row(new: NewCase, cipher: Cipher, now: datetime) -> FiledRow:
    """Everything that is written about a new case, and stated: `case.submitted`, and the contact."""
    filed = new.submission
    return FiledRow(
        new.case_id,
        new.scope,
        new.key,
        new.digest,
        filed.agency,
        filed.kind,
        filed.procedure,
        filed.channel,
        filed.return_channel,
        repository.array_text(filed.documents),
        new.filed_at,
        now,
        filed.origin,
        new.lane,
        *_submitted(new, now),
        *_told(new, cipher, now),
    )


def _submitted(new: NewCase, now: datetime) -> tuple[bytes, bytes]:
    """`case.submitted`: its headers as the outbox keeps them, and its body. Nobody else can know this case: it is the first."""
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
    envelope = Envelope(
        str(uuid7()), event.type, f"/{SERVICE}", str(new.case_id), filed.agency, new.filed_at, now, filed.origin, sequence=1
    )  # fmt: skip
    return packb(envelope.to_headers()), event.__pydantic_serializer__.to_json(event)


def _told(new: NewCase, cipher: Cipher, now: datetime) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Headers and ciphertext of the contact as it is published, and the ciphertext to keep."""
    filed = new.submission
    contact = filed.applicant and filed.applicant.contact()
    if contact is None and filed.origin is not Origin.LIVE:
        return None, None, None
    # a live case without a contact says so, or its first message would wait for one
    told = (contact or Contact()).model_dump_json(exclude_none=True).encode()
    sealed = cipher.encrypt(told, contact_context(new.case_id))
    headers = private_headers(SERVICE, str(new.case_id), repository.CONTACT, filed.agency, now)
    return headers, sealed, (None if contact is None else sealed)


async def follow_cases(work: Work[Case], deliveries: Sequence[Delivery]) -> None:
    """Keep code and completion of each case as its events say."""
    for delivery in deliveries:
        if delivery.case_id is not None:
            locked = work.cases[delivery.case_id]
            locked.state = follow(locked.state, delivery.body)
