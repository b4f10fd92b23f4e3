"""The load: cases and commands as the contract has them, sized as the floors' where the contract leaves room."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from shared.calendar import LimitUnit
from shared.catalogue import Procedure, load_catalogue
from shared.contracts.commands import Accept, Command, Forward, Resolve
from shared.contracts.envelope import Envelope, Headers
from shared.contracts.events import CaseSubmitted
from shared.contracts.topics import CASE_COMMANDS, CASE_EVENTS
from shared.contracts.words import Channel, Kind, Origin, Outcome

AGENCIES = [f"agency-{number:02d}" for number in range(20)]
OFFICERS = "/officers"
SHORT = 3
"""Days; the day before the last is due soon, and a night may lie between."""


class Message(NamedTuple):
    """A record to be sent; the topic is without its prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class NewCase(NamedTuple):
    """A case of the load."""

    case_id: UUID
    agency: str


def make_cases(rng: random.Random, count: int) -> list[NewCase]:
    """New cases of twenty agencies."""
    return [NewCase(uuid7(), agency) for agency in rng.choices(AGENCIES, k=count)]


def make_documents(rng: random.Random, count: int = 6) -> tuple[str, ...]:
    """Codes of documents, 36 bytes each."""
    return tuple(f"doc-{rng.randrange(10**9):09d}-application-form-v3" for _ in range(count))


def procedure_codes() -> list[str]:
    """The procedures for dossiers, with a known limit or without, that ask for no document and are not due at once."""
    dossiers = [each for each in load_catalogue() if each.kind.value == Kind.DOSSIER.value]
    return [each.code for each in dossiers if not _asks(each) and not _hurries(each)]


def _asks(procedure: Procedure) -> bool:
    """Whether it cannot be accepted without certain documents, which the load does not have."""
    return any(document.required for version in procedure.limits for document in version.documents)


def _hurries(procedure: Procedure) -> bool:
    """Whether its limit is so short that a case is due soon from the start, which is a fact more than the load counts on."""
    limits = [version.due_limit for version in procedure.limits]
    return any(limit is not None and (limit.unit is LimitUnit.HOURS or limit.count < SHORT) for limit in limits)


def submissions(rng: random.Random, cases: Iterable[NewCase], sequences: Iterable[int] = (1,)) -> Iterator[Message]:
    """`case.submitted` of each case, as intake states it, sequence by sequence."""
    codes = procedure_codes()
    listed = list(cases)
    for sequence in sequences:
        for case_id, agency in listed:
            now = datetime.now(UTC)
            body = CaseSubmitted(
                agency=agency, kind=Kind.DOSSIER, procedure=rng.choice(codes), channel=Channel.ONLINE, filed_at=now,
                documents=make_documents(rng), return_channel=Channel.ONLINE,
            )  # fmt: skip
            cause = str(uuid7())
            envelope = Envelope(
                str(uuid7()), body.type, "/intake", str(case_id), agency, now, now, Origin.LIVE, sequence, cause
            )  # fmt: skip
            yield Message(CASE_EVENTS.name, str(case_id).encode(), body.model_dump_json().encode(), envelope.to_headers())


def officers_commands(rng: random.Random) -> list[Command]:
    """What brings a case from its submission to its resolution."""
    unit = f"unit-{rng.randrange(8)}"
    return [Accept(unit=unit), Forward(to_unit=unit), Resolve(outcome=Outcome.GRANTED)]


def command_message(case_id: str, agency: str, command: Command, at: datetime) -> Message:
    """A command as an officers' system sends it."""
    cause = str(uuid7())
    envelope = Envelope(str(uuid7()), command.type, OFFICERS, case_id, agency, at, at, Origin.LIVE, causation_id=cause)
    value = command.model_dump_json(exclude_none=True).encode()
    return Message(CASE_COMMANDS.name, case_id.encode(), value, envelope.to_headers())


def commands(rng: random.Random, cases: list[NewCase]) -> Iterator[Message]:
    """Command by command, so that a batch meets many cases."""
    for number in range(3):
        for case_id, agency in cases:
            yield command_message(str(case_id), agency, officers_commands(rng)[number], datetime.now(UTC))


async def send_all(producer: AIOKafkaProducer, prefix: str, messages: Iterable[Message]) -> dict[str, int]:
    """Send in order and wait for every acknowledgement; how many, and the bytes of their bodies."""
    sent, size = [], 0
    for topic, key, value, headers in messages:
        size += len(value)
        sent.append(await producer.send(f"{prefix}{topic}", value, key=key, headers=headers))
    await producer.flush()
    for future in sent:
        future.result()
    return {"records": len(sent), "bytes": size}


def mean_bytes(*sent: dict[str, int]) -> Any:
    """The mean size of the bodies of what was sent."""
    return round(sum(each["bytes"] for each in sent) / sum(each["records"] for each in sent))
