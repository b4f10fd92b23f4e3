"""Where payloads of the webhook arrive: proven, understood, committed in groups; and where refused ones are tried again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog

from services.intake.group_commit import GroupCommit
from services.intake.hotline.arrivals import Arrival, Door, Taken
from services.intake.hotline.payloads import Kept, drop_payload, hold_payload, sealed_of
from services.intake.hotline.sources import Source, Sources
from services.intake.hotline.taking import Taking
from services.intake.hotline.understanding import arrive, arrive_from_kafka
from shared.clock import Clock
from shared.contracts.hotline import EventOutcome
from shared.hotline.signing import SignatureError, verify
from shared.persistence.errors import is_transient
from shared.persistence.work import Store

RETRIED_AT_ONCE: Final = 10
RETRY_SECONDS: Final = 1.0
"""How long one call tries payloads again, so many at a time: it must answer in time."""


log = structlog.get_logger()


class UnknownSourceError(Exception):
    """No mapping has this name, or nobody has given it a secret."""


class NotInForceError(Exception):
    """The source is known, but its mapping, or its secret, cannot be used now."""


class Retried(NamedTuple):
    """What became of refused payloads that were tried again, and after which one to go on; None when all were tried."""

    answers: list[Taken]
    next: UUID | None


class _TrialOverError(Exception):
    """Ends a transaction of which nothing is to stay."""


@dataclass(frozen=True, slots=True)
class HotlineDesk:
    """The hotline of one intake process."""

    sources: Sources
    taking: Taking
    store: Store[Any]
    clock: Clock
    lane: GroupCommit[Arrival, list[Taken]]

    def prove(self, name: str, headers: Mapping[str, str], body: bytes) -> Source:
        """The source whose secret signed this body.

        Raises:
            UnknownSourceError: There is no such source here.
            NotInForceError: It is known, and may be served later.
            SignatureError: It is not proven.
        """
        source = self.sources.get(name)
        if source is None or not source.secrets:
            raise UnknownSourceError if self.sources.awaited(name) is None else NotInForceError
        try:
            verify(source.mapping.authentication, source.secrets, headers, body, self.clock())
        except SignatureError:
            self.taking.series.count_unauthenticated(name)
            raise
        return source

    async def take(self, arrival: Arrival) -> Sequence[Taken]:
        """What became of a payload's events, once they are committed.

        Raises:
            UnavailableError: Nothing was committed as far as we know; it is safe to send it again.
        """
        return await self.lane.submit(arrival) if arrival.understood else ()

    async def try_out(self, arrival: Arrival) -> Sequence[Taken]:
        """What would become of a payload's events now; nothing is kept. A case that would be opened has no id yet."""
        answers: Sequence[Taken] = ()
        try:
            async with self.store.open(()) as work:
                (answers,) = await self.taking.take(work, [arrival], trial=True)
                raise _TrialOverError
        except _TrialOverError:
            return [each if each.outcome is EventOutcome.DUPLICATE else each._replace(case_id=None) for each in answers]

    async def retry(self, name: str, after: UUID | None) -> Retried:
        """Try payloads again that were refused in the last 24 hours, under the mappings of today, the oldest first.

        Raises:
            UnknownSourceError: A payload of the webhook has no mapping any more.
        """
        answers: list[Taken] = []
        until = monotonic() + RETRY_SECONDS
        while monotonic() < until:
            async with self.store.database.transaction() as tx:
                kept, after = await sealed_of(tx, self.taking.keys, name, after, RETRIED_AT_ONCE)
            for each in kept:
                answers += await self._retry_alone(name, each)
            if after is None:
                break
        return Retried(answers, after)

    async def _retry_alone(self, name: str, kept: Kept) -> Sequence[Taken]:
        """Take one payload again; one that fails for good is left as it is, and hinders none that follows."""
        try:
            return await self._retry(name, kept)
        except UnknownSourceError:
            raise
        except Exception as error:
            if is_transient(error):
                raise
            told = {"source": name, "id": str(kept.id), "error": type(error).__name__}
            log.error("a refused payload cannot be tried again", **told)  # noqa: TRY400 - a trace may show what citizens said
            return ()

    async def _retry(self, name: str, kept: Kept) -> Sequence[Taken]:
        """Take one payload again; it is given up when nothing of it is refused any more."""
        arrival = self._arrive_again(name, kept)
        async with self.store.open(()) as work:
            if not await hold_payload(work.tx, kept.id):
                return ()
            (answers,) = await self.taking.take(work, [arrival], again=True)
            if all(each.outcome is not EventOutcome.REFUSED for each in answers):
                await drop_payload(work.tx, kept.id)
        return answers

    def _arrive_again(self, name: str, kept: Kept) -> Arrival:
        if kept.door == Door.KAFKA:
            return arrive_from_kafka(self.sources, kept.payload, kept.attributes)
        if (source := self.sources.get(name)) is None:
            raise UnknownSourceError
        return arrive(source, Door.WEBHOOK, kept.payload, kept.attributes)


def make_commit(store: Store[Any], taking: Taking) -> Callable[[Sequence[Arrival]], Awaitable[list[list[Taken]]]]:
    """What the group commit calls: the events of these payloads in one transaction."""

    async def commit(arrivals: Sequence[Arrival]) -> list[list[Taken]]:
        async with store.open(()) as work:
            return await taking.take(work, arrivals)

    return commit
