"""What processing does with a batch of records from Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.processing import repository
from services.processing.domain.case import Case, changed
from services.processing.domain.limits import missing_documents
from services.processing.domain.machine import Rejected, evolve
from services.processing.handlers.calendar import rules_in_force
from services.processing.handlers.settling import Asked, Rules, keep_timers, rejection, run, settle, timed
from services.processing.repository import Waiting
from shared.contracts.commands import COMMANDS, Command
from shared.contracts.events import DuplicateSuspected
from shared.contracts.words import Kind, Rejection
from shared.messaging.delivery import Delivery
from shared.persistence.work import Work


class UnknownCommand(Command):
    """A command of a type that is not in the contract. Nothing of its value is read, and it is rejected like any other."""

    type = "unknown"


async def open_cases(work: Work[Case], deliveries: Sequence[Delivery], rules: Rules) -> None:
    """Take `case.submitted`: the case exists now, and what waited for it runs, in order.

    That it may be a duplicate is only written into its history, for the officer to see.
    """
    heard = [
        (delivery.case_id, delivery.envelope, delivery.body.model_dump_json())
        for delivery in deliveries
        if delivery.case_id is not None
        and (type(delivery.body) is DuplicateSuspected or _open(work, delivery.case_id, delivery, rules))
    ]
    await repository.write_history(work.tx, heard)
    await _watch(work, [case_id for case_id, _, _ in heard], rules)
    awaited = [case_id for case_id, _, _ in heard if work.cases[case_id].stream.waiting]
    if awaited:
        rules = await rules_in_force(work.tx, rules)
        waiting = await repository.take_waiting(work.tx, awaited)
        for case_id in awaited:
            work.cases[case_id].stream.waiting = 0
        await settle(work, await run(work, [_asked(each) for each in waiting], rules), rules)


async def _watch(work: Work[Case], opened: Sequence[UUID], rules: Rules) -> None:
    """Feedback is to be accepted or refused in time; of other kinds nothing is watched before the acceptance."""
    watched = [work.cases[case_id] for case_id in opened if work.cases[case_id].state.kind == Kind.FEEDBACK]
    if not watched:
        return
    rules = await rules_in_force(work.tx, rules)
    for locked in watched:
        locked.state = timed(locked.state, rules.of(locked.state.agency))
    await keep_timers(work)


def _open(work: Work[Case], case_id: UUID, delivery: Delivery, rules: Rules) -> bool:
    """Whether the delivery made the case; a second submission of the same case says nothing new."""
    locked = work.cases[case_id]
    if locked.state.status is not None:
        return False
    event = delivery.body
    missing = missing_documents(event.procedure, event.filed_at, event.documents, rules.catalogue.of(event.agency))
    opened = evolve(locked.state, event, delivery.envelope.occurred_at)
    locked.state = changed(opened, {"origin": delivery.envelope.origin, "missing": missing})
    return True


async def run_commands(work: Work[Case], deliveries: Sequence[Delivery], rules: Rules) -> None:
    """Take commands from Kafka: those of known cases run, in order; those that came too early wait for their case."""
    ready, early = [], []
    for delivery in deliveries:
        case_id = delivery.case_id or delivery.envelope.case_id
        locked = work.cases[case_id]
        if locked.state.status is None:
            locked.stream.waiting += 1
            early.append(Waiting(case_id, delivery.envelope, delivery.body.model_dump_json()))
        else:
            ready.append(Asked(case_id, delivery.envelope, delivery.body))
    await repository.keep_waiting(work.tx, early, work.now)
    rules = await rules_in_force(work.tx, rules)
    await settle(work, await run(work, ready, rules), rules)


async def reject_stale(work: Work[Case], arrived_by: datetime, rules: Rules) -> int:
    """Reject the commands of these cases that have waited since then for a submission; give how many."""
    stale = await repository.take_waiting(work.tx, list(work.cases), arrived_by)
    facts = []
    for each in stale:
        work.cases[each.case_id].stream.waiting -= 1
        facts.append(rejection(work, Asked(each.case_id, each.envelope, _asked(each).command), Rejected(Rejection.UNKNOWN_CASE)))
    await settle(work, facts, rules)
    return len(stale)


def _asked(waiting: Waiting) -> Asked:
    command = COMMANDS.get(waiting.envelope.type, UnknownCommand).model_validate_json(waiting.body)
    return Asked(waiting.case_id, waiting.envelope, command)
