"""Opening cases: what a valid submission becomes, in one transaction with others, unless its key is known."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from ormsgpack import packb
from uuid_utils import uuid7

from services.intake import repository
from services.intake.domain.case import Case
from services.intake.domain.stating import facts_of, submitted
from services.intake.domain.submission import Submission
from services.intake.metrics import IntakeMetrics
from services.intake.repository import FiledRow
from services.intake.vault import SERVICE, seal, tokens_of
from shared.clock import Clock
from shared.contracts.envelope import Envelope
from shared.contracts.words import Lane
from shared.observability.failpoints import reach
from shared.persistence.work import Store
from shared.security.key_ring import KeyRing

CASES_AT_ONCE: Final = 20


class Outcome(StrEnum):
    """What became of a valid submission."""

    OPENED = "opened"
    KNOWN = "known"
    """Its key had opened this very case before."""
    CONFLICT = "conflict"
    """Its key had opened a case with other content."""
    FORBIDDEN = "forbidden"
    """It is past, and its key has opened no case."""


class Opening(NamedTuple):
    """The answer to a submission: the case that its key stands for; none where it is forbidden."""

    case_id: UUID | None
    outcome: Outcome


Openings = list[Opening | Exception]
"""The answers to submissions that came together."""


class NewCase(NamedTuple):
    """A valid submission that waits to become a case.

    One that is `past` this filer may not file any more: it can only find the case that its key opened when there was time.
    """

    case_id: UUID
    scope: str
    key: str
    digest: bytes
    submission: Submission
    filed_at: datetime
    lane: Lane
    documents_complete: bool | None = None
    past: bool = False


def make_commit(
    store: Store[Case], keys: KeyRing, metrics: IntakeMetrics, clock: Clock
) -> Callable[[Sequence[NewCase]], Awaitable[list[Opening]]]:
    """What group commits call: everything of these cases in one transaction."""

    async def commit(cases: Sequence[NewCase]) -> list[Opening]:
        metrics.group_cases.observe(len(cases))
        first: dict[repository.KeyOf, NewCase] = {}
        for new in cases:  # of one key within the group, the first counts
            if not new.past:
                first.setdefault((new.scope, new.key), new)
        rows, now = [], clock()
        for number, new in enumerate(first.values(), 1):
            rows.append(make_row(new, keys, now))
            if number % CASES_AT_ONCE == 0:
                await asyncio.sleep(0)  # a large group must not keep a counter's answer waiting
        with metrics.commit_seconds.time():
            return await open_cases(store, cases, rows)

    return commit


async def open_cases(store: Store[Case], cases: Sequence[NewCase], rows: Sequence[FiledRow]) -> list[Opening]:
    """Open the cases whose keys are free; `rows` has one for each key that may open one."""
    async with store.database.driver() as driver:
        await reach("before_commit")
        opened = frozenset(await repository.open_new(driver, rows) if rows else ())
        await reach("after_commit")
        if opened:
            store.on_commit()
        taken = [(new.scope, new.key) for new in cases if new.case_id not in opened]
        known = await repository.find_keys(driver, taken) if taken else {}
    forgotten = {(new.scope, new.key) for new in cases if not new.past and new.case_id not in opened} - known.keys()
    if not forgotten:
        return [_answer(new, opened, known) for new in cases]
    left = [new for new in cases if (new.scope, new.key) in forgotten]  # forgotten between the two statements: now they are free
    again = iter(await open_cases(store, left, [row for row in rows if (row.scope, row.key) in forgotten]))
    return [next(again) if (new.scope, new.key) in forgotten else _answer(new, opened, known) for new in cases]


def _answer(new: NewCase, opened: frozenset[UUID], known: dict[repository.KeyOf, tuple[bytes, UUID]]) -> Opening:
    if new.case_id in opened:
        return Opening(new.case_id, Outcome.OPENED)
    found = known.get((new.scope, new.key))
    if found is None:
        return Opening(None, Outcome.FORBIDDEN)
    digest, case_id = found
    same = not digest or hmac.compare_digest(digest, new.digest)  # none is kept of a case whose people were erased
    return Opening(case_id, Outcome.KNOWN if same else Outcome.CONFLICT)


def make_row(new: NewCase, keys: KeyRing, now: datetime) -> FiledRow:
    """Everything that is written about a new case, and stated: `case.submitted`, and what is private."""
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
        facts_of(filed),
        *_submitted(new, now),
        *seal(keys, new.case_id, filed, now),
        *tokens_of(keys, filed.applicant),
    )


def _submitted(new: NewCase, now: datetime) -> tuple[bytes, bytes]:
    """`case.submitted`: its headers as the outbox keeps them, and its body. Nobody else can know this case: it is the first."""
    filed = new.submission
    event = submitted(filed, new.filed_at, new.lane, new.documents_complete)
    envelope = Envelope(
        str(uuid7()), event.type, f"/{SERVICE}", str(new.case_id), filed.agency, new.filed_at, now, filed.origin, sequence=1
    )  # fmt: skip
    return packb(envelope.to_headers()), event.__pydantic_serializer__.to_json(event)
