"""The histories that a correction, or another calendar, needs: read once for a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.processing import repository
from services.processing.domain.timeline import Recorded
from shared.contracts.commands import Command, Correct
from shared.contracts.events import EVENTS, CaseEvent
from shared.persistence.database import Tx

Histories = Mapping[UUID, Sequence[Recorded]]
NOT_STATED = UUID(int=0)
"""The id of a fact that its batch has not stated yet; nobody can have named it."""


async def find_histories(tx: Tx, asked: Iterable[tuple[UUID, Command]]) -> Histories:
    """The histories of the (locked) cases of which something is to be corrected, in order."""
    case_ids = [case_id for case_id, command in asked if isinstance(command, Correct)]
    return await read_histories(tx, case_ids) if case_ids else {}


async def read_histories(tx: Tx, case_ids: Sequence[UUID], types: Sequence[str] | None = None) -> Histories:
    """The histories of these cases, in order: whole, or these types of facts."""
    histories: dict[UUID, list[Recorded]] = defaultdict(list)
    for case_id, event_id, kind, occurred_at, body in await repository.read_facts(tx, case_ids, types):
        model = EVENTS.get(kind)
        if model is not None and issubclass(model, CaseEvent):
            histories[case_id].append(Recorded(event_id, model.model_validate_json(body), occurred_at))
    return histories
