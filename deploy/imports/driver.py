"""A log of another system through the running services: origin import, its own agency, nobody is notified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from deploy.history.plan import Past, PastCase, numbered
from deploy.history.send import Report, connect, send, settle
from deploy.imports.plan import Plan, PlannedCase
from shared.contracts.commands import Accept, Command, CompleteStep, Resolve
from shared.contracts.words import Kind, Origin, Outcome

_KEY_SIGNS: Final = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""What a key may hold beside letters and digits; everything else is written as per cent signs."""
_LONGEST_KEY: Final = 200


def past_of(plan: Plan) -> Past:
    """The plan of one agency as filings and commands."""
    (agency,) = plan.agencies
    return Past(agency, Origin.IMPORT, [_case(plan, case) for case in plan.cases])


def _case(plan: Plan, case: PlannedCase) -> PastCase:
    filing = {
        "agency": case.agency,
        "kind": plan.kind.value,
        "procedure": case.procedure,
        "channel": case.channel.value,
        "filed_at": case.filed_at.isoformat(),
        "origin": Origin.IMPORT.value,
    }
    outcome = Outcome.GRANTED if plan.kind is Kind.DOSSIER else Outcome.ANSWERED
    return PastCase(_key(f"{case.agency}:{case.external_id}"), case.filed_at, filing, numbered(_moves(case, outcome)))


def _key(name: str) -> str:
    """The name as a key of intake: printable ASCII without spaces; a long one by its digest."""
    key = quote(name, safe=_KEY_SIGNS)
    return key if len(key) <= _LONGEST_KEY else f"{key[:100]}~{sha256(name.encode()).hexdigest()}"


def _moves(case: PlannedCase, outcome: Outcome) -> Iterator[tuple[datetime, Command]]:
    yield case.filed_at, Accept()
    for activity in case.activities:
        yield activity.occurred_at, CompleteStep(step=activity.activity, unit=activity.unit)
    if case.closed_at is not None:
        yield case.closed_at, Resolve(outcome=outcome)


async def import_log(plan: Plan, report: Report) -> dict[str, Any]:
    """Send the log, wait until it is seen; each agency's figures of the metrics service. Sent again, it changes nothing."""
    figures = {}
    async with connect() as services:
        for agency in plan.agencies:
            past = past_of(plan.of(agency))
            await send(services, past, report)
            figures[agency] = await settle(services, past, report)
    return figures
