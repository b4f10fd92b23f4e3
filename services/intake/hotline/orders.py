"""What the hotline asks of processing: commands on `case-commands`, by the outbox of the transaction that decides them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from services.intake.vault import SERVICE
from shared.contracts.commands import Command
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CASE_COMMANDS
from shared.contracts.words import Lane, Origin
from shared.persistence.database import Tx
from shared.persistence.work import Work

IDS: Final = UUID("5b0c8a2e-6a3c-5d9e-9f43-0d6b6f1f7a10")
"""The name space of our commands' ids."""

_FIND: Final = """
select c.code, c.case_id, s.agency from cases c join submissions s using (case_id) where c.code = any($1::text[])
"""


class Place(NamedTuple):
    """A case, and the agency whose it is."""

    case_id: UUID
    agency: str


async def find_dossiers(tx: Tx, codes: Collection[str]) -> dict[str, Place]:
    """The cases with these dossier codes; a code that nobody has is left out."""
    rows = await tx.driver.fetch(_FIND, list(codes)) if codes else ()
    return {code: Place(case_id, agency) for code, case_id, agency in rows}


def of_event(event_id: str) -> str:
    """Why a command is sent that follows from an event."""
    return f"event\0{event_id}"


def of_call(call_id: str) -> str:
    """Why one is sent that follows from a call, whichever of its events says so."""
    return f"call\0{call_id}"


def order(work: Work[Any], place: Place, command: Command, source: str, why: str) -> None:
    """Send a command to a case, once: its id is made of the source, of `why` (`of_event` or `of_call`) and of what is asked.

    One event may tie its case to two others, so what is asked names the other case, too.

    It happens now. Processing knows an id again for 14 days, as long as the events that lead to it are known here.
    """
    other = getattr(command, "other_case_id", None) or ""
    command_id = uuid5(IDS, f"{source}\0{why}\0{command.type}\0{place.case_id}\0{other}")
    subject = str(place.case_id)
    envelope = Envelope(
        str(command_id), command.type, f"/{SERVICE}", subject, place.agency, work.now, work.now, Origin.LIVE
    )  # fmt: skip
    work.put(CASE_COMMANDS.name, subject, envelope.to_headers(), _written(command), Lane.INTERACTIVE)


def _written(command: Command) -> bytes:
    return command.model_dump_json(exclude_none=True).encode()
