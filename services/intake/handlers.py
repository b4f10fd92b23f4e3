"""What intake does: make a case of a valid submission, and follow its completion for the public."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.intake import repository
from services.intake.domain.case import Case, follow
from services.intake.domain.filing import PAST, WRONG_AGENCY, Filer, Refusal, refuse
from services.intake.domain.people import Filed
from services.intake.domain.pre_intake import PreIntake, ignore_pre_intake, read_pre_intake, refuse_pre_intake
from services.intake.domain.precheck import PreCheck, missing_of, pre_check
from services.intake.domain.stating import Documents, are_complete, check_documents, version_of
from services.intake.domain.submission import (
    Fault,
    FilingRules,
    NotValidError,
    Submission,
    SubmissionLine,
    check_idempotency_key,
    read_submission,
)
from services.intake.group_commit import GroupCommit
from services.intake.metrics import IntakeMetrics
from services.intake.opening import NewCase, Opening, Openings, Outcome
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.contracts.words import Lane
from shared.messaging.delivery import Delivery
from shared.messaging.strict_json import check_json
from shared.persistence.work import Work
from shared.security.key_ring import KeyRing

_S = TypeVar("_S", bound=Submission)


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
    keys: KeyRing
    metrics: IntakeMetrics
    lanes: Mapping[Lane, GroupCommit[NewCase, Opening]]
    check_pre_intake: Callable[[UUID, str], Awaitable[None]] = refuse_pre_intake
    mark_pre_intake: Callable[[UUID], Awaitable[None]] = ignore_pre_intake

    async def file(self, raw: bytes, key: str | None, filer: Filer) -> Opening:
        """Open the case of one body, or find the one its key opened.

        Raises:
            NotValidError: With every fault of header and body.
            ForbiddenError: The content is another agency's, or needs the role importer.
            UnavailableError: Nothing was committed as far as we know; the same key is safe to send again.
        """
        faults = check_idempotency_key(key)
        try:
            submission, now, past = self._read(Submission, raw, filer, Lane.INTERACTIVE)
        except NotValidError as error:
            raise NotValidError(faults + error.faults, error.more) from None
        if key is None or faults:
            self.metrics.count(Lane.INTERACTIVE, "invalid")
            raise NotValidError(faults)
        if submission.pre_intake_id is not None:
            await self.check_pre_intake(submission.pre_intake_id, submission.agency)
        opening = await self._open(self._prepare(submission, filer, key, Lane.INTERACTIVE, now, past=past))
        if submission.pre_intake_id is not None and opening.outcome in (Outcome.OPENED, Outcome.KNOWN):
            await self.mark_pre_intake(submission.pre_intake_id)
        return opening

    async def _open(self, new: NewCase) -> Opening:
        try:
            opening = await self.lanes[Lane.INTERACTIVE].submit(new)
        except Exception as error:
            self.metrics.count_failure(Lane.INTERACTIVE, error)
            raise
        self.metrics.count(Lane.INTERACTIVE, opening.outcome)
        if opening.outcome is Outcome.FORBIDDEN:
            raise ForbiddenError(PAST)
        return opening

    def pre_check(self, raw: bytes, filer: Filer) -> PreCheck:
        """What a body lacks that would be filed. Nothing is stored or counted.

        Raises:
            NotValidError: With every fault, a missing document being one of them.
            ForbiddenError: As `file`.
        """
        rules = FilingRules(self.catalogue, self.clock())
        try:
            filed = self._checked(Submission, raw, filer, rules.now)
        except NotValidError as error:
            raise NotValidError(error.faults + missing_of(raw, rules), error.more) from None
        return pre_check(filed, rules)

    def pre_intake(self, raw: bytes, filer: Filer) -> tuple[PreIntake, Documents]:
        """What the hotline notes, and how its documents stand; raises as `pre_check` does."""
        rules = FilingRules(self.catalogue, self.clock())
        draft = read_pre_intake(raw, rules)
        refuse_ambiguous(raw, draft)
        if not filer.may_file_for(draft.agency):
            raise ForbiddenError(WRONG_AGENCY)
        version = version_of(self.catalogue, draft.agency, draft.procedure, rules.now)
        return draft, check_documents(version, draft.documents)

    def read_line(self, raw: bytes, filer: Filer) -> NewCase:
        """The case of one bulk line; raises as `file` does."""
        line, now, past = self._read(SubmissionLine, raw, filer, Lane.BULK)
        return self._prepare(line, filer, line.idempotency_key, Lane.BULK, now, past=past)

    async def file_together(self, cases: Sequence[NewCase]) -> asyncio.Future[Openings]:
        """Queue the cases of bulk lines that came together; waits while the queue is full."""
        return await self.lanes[Lane.BULK].submit_together(cases)

    def check_line(self, raw: bytes, filer: Filer) -> None:
        """Raise as `read_line` does where a bulk line would be refused; nothing is counted."""
        self._checked(SubmissionLine, raw, filer, self.clock())

    def _read(self, model: type[_S], raw: bytes, filer: Filer, lane: Lane) -> tuple[_S, datetime, bool]:
        """A valid submission that this filer may file, the time of its arrival, and whether that is too late."""
        now = self.clock()
        try:
            submission, refusal = self._valid(model, raw, filer, now)
            if refusal is not None and refusal is not PAST:
                raise ForbiddenError(refusal)
        except NotValidError:
            self.metrics.count(lane, "invalid")
            raise
        except ForbiddenError:
            self.metrics.count(lane, "forbidden")
            raise
        return submission, now, refusal is PAST

    def _checked(self, model: type[_S], raw: bytes, filer: Filer, now: datetime) -> _S:
        submission, refusal = self._valid(model, raw, filer, now)
        if refusal is not None:
            raise ForbiddenError(refusal)
        return submission

    def _valid(self, model: type[_S], raw: bytes, filer: Filer, now: datetime) -> tuple[_S, Refusal | None]:
        submission = read_submission(model, raw, FilingRules(self.catalogue, now))
        refuse_ambiguous(raw, submission)
        return submission, refuse(filer, submission, now)

    def _prepare(self, submission: Submission, filer: Filer, key: str, lane: Lane, now: datetime, *, past: bool) -> NewCase:
        """Make the case that the submission becomes unless its key is known."""
        digest, filed_at = self.keys.digest(submission.canonical()), submission.moment or now
        complete = are_complete(submission, filed_at, self.catalogue)
        return NewCase(repository.make_case_id(), filer.scope, key, digest, submission, filed_at, lane, complete, past)


def refuse_ambiguous(raw: bytes, submission: Filed) -> None:
    """Raise NotValidError where a name is given twice: another reader would take the other value."""
    try:
        check_json(raw, submission)
    except ValueError:
        raise NotValidError([Fault("", "must give each name once", "given_twice")]) from None


async def follow_cases(work: Work[Case], deliveries: Sequence[Delivery]) -> None:
    """Keep code and completion of each case as its events say."""
    for delivery in deliveries:
        if delivery.case_id is not None:
            locked = work.cases[delivery.case_id]
            locked.state = follow(locked.state, delivery.body)
