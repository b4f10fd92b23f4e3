"""Dead letters, settled where they belong: inside the consumer that parked them, in case order, under the case's lock.

Everything needed is in the database, so any replica can do it, and Kafka may be away. One record, one transaction: a replay
that is cut short, or done twice, or done by two at once, takes each record once. Records that come for the case meanwhile
see its parked ones under the same lock and go behind; the replay goes on until none is left, and then the case is free.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from uuid import UUID

import structlog
from aiokafka import ConsumerRecord
from ormsgpack import unpackb

from shared.contracts.envelope import EnvelopeError, from_headers
from shared.messaging.consumer import Consumer
from shared.messaging.delivery import Delivery, Fault, Unwanted
from shared.messaging.memory import pass_over
from shared.messaging.parking import BEHIND, handler_fault, is_left_out
from shared.persistence import parked as letters
from shared.persistence.errors import is_transient
from shared.persistence.parked import Letter, State, Subject
from shared.persistence.work import Store, Work

PAGE = 100

log = structlog.get_logger()


class UnknownLetterError(Exception):
    """Nothing is, or was, parked under this id."""


class SettledError(Exception):
    """The record was replayed, or discarded, and now the other is asked for."""


class NoConsumerError(Exception):
    """The consumer group that parked a record is none of this service's groups any more; `group` names it."""

    def __init__(self, letter: Letter) -> None:
        super().__init__(f"no consumer of group {letter.consumer_group} here")
        self.group, self.letter_id = letter.consumer_group, letter.id


class NotFirstError(Exception):
    """Another record of the case comes first; `first` is its id."""

    def __init__(self, first: UUID) -> None:
        super().__init__(f"{first} of the same case comes first")
        self.first = first


@dataclass(frozen=True, slots=True)
class Stuck:
    """A record that still cannot be taken, and how many wait behind it."""

    id: UUID
    case_id: UUID | None
    consumer_group: str
    reason: str
    detail: str
    behind: int


@dataclass(slots=True)
class Report:
    """What a replay did: records taken, those skipped (known already, or of a type not wanted any more), those still at fault.

    `more` says that the time was up before the end; with `all`, go on after the subject `after`.
    """

    replayed: int = 0
    skipped: int = 0
    stuck: list[Stuck] = field(default_factory=list)
    more: bool = False
    after: UUID | None = None


class _Step(Enum):
    TAKEN = "taken"
    SKIPPED = "skipped"
    MOVED = "moved"
    """It belongs to a case that has others parked, and waits among them now."""
    STUCK = "stuck"
    NOTHING = "nothing"


class Replay:
    """Replays and discards what the consumers of one service have parked. `by` is who asked.

    `seconds` is how long one call works before it answers that there is more to do.
    """

    def __init__(self, store: Store[Any], consumers: Sequence[Consumer[Any]], seconds: float = 10.0) -> None:
        self._store, self._parked = store, store.parked
        self._consumers, self._seconds = consumers, seconds

    async def replay_all(self, by: str, after: UUID | None = None) -> Report:
        """Everything, case by case; what is at fault in one case does not stop the next."""
        report, until = Report(after=after), time.monotonic() + self._seconds
        while True:
            async with self._store.database.transaction() as tx:
                subjects = await letters.list_subjects(tx, self._parked, report.after, PAGE)
            if not subjects:
                return report
            for subject in subjects:
                try:
                    await self._replay(subject, by, report, until)
                except NoConsumerError as error:
                    case_id = subject.id if subject.is_case else None
                    report.stuck.append(Stuck(error.letter_id, case_id, error.group, "no_consumer", str(error), 0))
                if report.more:
                    return report
                report.after = subject.id

    async def replay_case(self, case_id: UUID, by: str) -> Report:
        """A case's records in their order, up to the first that still cannot be taken."""
        report = Report()
        async with self._store.database.transaction() as tx:
            number = await letters.count_of_case(tx, self._parked, case_id)
        if number:  # a case that nobody knows must not be made by asking for it
            await self._replay(Subject(case_id, is_case=True), by, report, time.monotonic() + self._seconds)
        return report

    async def replay_one(self, letter_id: UUID, by: str) -> Report:
        """One record; if it belongs to a case, those before it come first and those behind it follow.

        Raises:
            UnknownLetterError: There is no such record.
            SettledError: It was discarded.
        """
        letter = await self._find(letter_id)
        report = Report()
        if letter.state == State.DISCARDED:
            raise SettledError("it was discarded")
        if letter.state == State.PARKED:
            subject = Subject(letter.case_id or letter.id, letter.case_id is not None)
            await self._replay(subject, by, report, time.monotonic() + self._seconds)
        return report

    async def discard(self, letter_id: UUID, reason: str, by: str) -> Report:
        """Give a record up for good; what waited behind it is replayed.

        Raises:
            UnknownLetterError: There is no such record.
            SettledError: It was replayed.
            NotFirstError: Another record of its case comes first, and may change what is to be done.
        """
        letter = await self._find(letter_id)
        if letter.state == State.REPLAYED:
            raise SettledError("it was replayed")
        if letter.state == State.PARKED:
            await self._discard(letter, reason, by)
        return Report() if letter.case_id is None else await self.replay_case(letter.case_id, by)

    async def _find(self, letter_id: UUID) -> Letter:
        async with self._store.database.transaction() as tx:
            letter = await letters.find_letter(tx, self._parked, letter_id)
        if letter is None:
            raise UnknownLetterError
        return letter

    async def _discard(self, letter: Letter, reason: str, by: str) -> None:
        async with self._store.open([] if letter.case_id is None else [letter.case_id]) as work:
            found = await letters.find_letter(work.tx, self._parked, letter.id, lock=True)
            if found is None or found.state != State.PARKED or found.case_id != letter.case_id:
                raise SettledError("somebody else settles it at this moment; look again")
            if found.case_id is not None:
                first = await letters.first_of_case(work.tx, self._parked, found.case_id)
                if first and first.id != found.id:
                    raise NotFirstError(first.id)
                self._pass_over(work, found, found.case_id)
                work.cases[found.case_id].stream.parked -= 1
            await letters.settle(work.tx, self._parked, found, State.DISCARDED, by, reason)
        log.warning("dead letter discarded", id=str(letter.id), group=letter.consumer_group, reason=reason, by=by)

    def _pass_over(self, work: Work[Any], letter: Letter, case_id: UUID) -> None:
        """A fact given up on purpose is no fact that was lost on the way."""
        consumer = self._consumer(letter)
        if consumer is not None and consumer.ordered:
            try:
                pass_over(work.cases[case_id].stream, from_headers(record_of(letter).headers))
            except EnvelopeError:
                return

    async def _replay(self, subject: Subject, by: str, report: Report, until: float) -> None:
        """Take records of a subject until none is left, one is still at fault, or the time is up."""
        while True:
            letter, step = await (self._first(subject.id, by) if subject.is_case else self._single(subject.id, by))
            if letter is None or step is _Step.NOTHING:
                return
            log.info("dead letter", id=str(letter.id), group=letter.consumer_group, outcome=step.value, by=by)
            report.replayed += step is _Step.TAKEN
            report.skipped += step is _Step.SKIPPED
            if step is _Step.STUCK:
                report.stuck.append(await self._stuck(letter))
                return
            if step is _Step.MOVED and letter.case_id is not None:
                subject = Subject(letter.case_id, is_case=True)
            if time.monotonic() > until:
                report.more = True
                return

    async def _stuck(self, letter: Letter) -> Stuck:
        async with self._store.database.transaction() as tx:
            now = await letters.find_letter(tx, self._parked, letter.id) or letter
            waiting = await letters.count_of_case(tx, self._parked, letter.case_id) - 1 if letter.case_id else 0
        return Stuck(letter.id, letter.case_id, letter.consumer_group, now.reason, now.detail, max(waiting, 0))

    async def _first(self, case_id: UUID, by: str) -> tuple[Letter | None, _Step]:
        """The record of a case that is first in line; looked for under the case's lock."""
        letter = None
        try:
            async with self._store.open([case_id]) as work:
                letter = await letters.first_of_case(work.tx, self._parked, case_id)
                if letter is None:
                    work.cases[case_id].stream.parked = 0
                    return None, _Step.NOTHING
                consumer, item = self._read(letter)
                if isinstance(item, Fault):
                    await letters.note_fault(work.tx, self._parked, letter, item.reason, item.detail)
                    return letter, _Step.STUCK
                work.cases[case_id].stream.parked -= 1
                return letter, await self._take(work, consumer, letter, item, by)
        except Exception as error:
            if letter is None or is_transient(error) or isinstance(error, NoConsumerError):
                raise
            return letter, await self._stays(letter, error)

    async def _single(self, letter_id: UUID, by: str) -> tuple[Letter | None, _Step]:
        """A record that belongs to no case, as far as is known: a command that could not be read, a fact about an agency."""
        letter = await self._find(letter_id)
        consumer, item = self._read(letter)
        case_id = item.case_id if isinstance(item, Delivery) else None
        try:
            async with self._store.open([] if case_id is None else [case_id]) as work:
                found = await letters.find_letter(work.tx, self._parked, letter_id, lock=True)
                if found is None or found.state != State.PARKED or found.case_id is not None:
                    return found, _Step.MOVED if found and found.state == State.PARKED else _Step.NOTHING
                if isinstance(item, Fault):
                    await letters.note_fault(work.tx, self._parked, found, item.reason, item.detail)
                    return found, _Step.STUCK
                if case_id is not None and consumer.holds and work.cases[case_id].stream.parked:
                    work.cases[case_id].stream.parked += 1
                    await letters.put_behind(work.tx, self._parked, found, case_id, BEHIND)
                    return replace(found, case_id=case_id), _Step.MOVED
                return found, await self._take(work, consumer, found, item, by)
        except Exception as error:
            if is_transient(error):
                raise
            return letter, await self._stays(letter, error)

    def _read(self, letter: Letter) -> tuple[Consumer[Any], Delivery | Fault | Unwanted]:
        """The record as its consumer understands it today."""
        consumer = self._consumer(letter)
        if consumer is None:
            raise NoConsumerError(letter)
        record = record_of(letter)
        if letter.payload is None and is_left_out(letter.topic, letter.reason):  # whoever sent it has to send it again
            return consumer, Fault(record, letter.type, letter.reason, letter.detail, letter.case_id)
        return consumer, consumer.read(record)

    def _consumer(self, letter: Letter) -> Consumer[Any] | None:
        return next((each for each in self._consumers if each.group == letter.consumer_group), None)

    async def _take(self, work: Work[Any], consumer: Consumer[Any], letter: Letter, item: Delivery | Unwanted, by: str) -> _Step:
        fresh = await consumer.apply(work, [item]) if isinstance(item, Delivery) else []
        await letters.settle(work.tx, self._parked, letter, State.REPLAYED, by)
        return _Step.TAKEN if fresh else _Step.SKIPPED

    async def _stays(self, letter: Letter, error: Exception) -> _Step:
        """Its handler cannot take it: rolled back, and said why."""
        log.warning("dead letter still at fault", id=str(letter.id), group=letter.consumer_group, exc_info=error)
        async with self._store.database.transaction() as tx:
            await letters.note_fault(tx, self._parked, letter, *handler_fault(error))
        return _Step.STUCK


def record_of(letter: Letter) -> ConsumerRecord[Any, Any]:
    """The record as it came from Kafka."""
    headers = tuple((name, None if value is None else bytes(value)) for name, value in unpackb(letter.headers))
    written_at = int(letter.parked_at.timestamp() * 1000)
    return ConsumerRecord(
        letter.topic, letter.partition, letter.position, written_at, 0, letter.key, letter.payload, None, 0, 0, headers
    )
