"""A simulated year through the running services, under historical time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from deploy.history.plan import Past, PastCase, numbered
from deploy.history.send import Report, connect, send, settle
from deploy.history.services import Services
from deploy.replay.model import Dossier, Year
from deploy.replay.tasks import Task
from shared.contracts.commands import Accept, Command, CompleteStep, ReachMilestone, Resolve, Return
from shared.contracts.words import Channel, Kind, Origin, Outcome

POLL_SECONDS = 0.2
REFUSED_BECAUSE = "not_eligible"
"""A refusal after appraisal needs a reason (Decree 61/2018/NĐ-CP, art. 19.8); the year's own are not known."""


def past_of(year: Year) -> Past:
    """The year as filings and commands."""
    cases = [_case(year.agency, dossier) for dossier in year.dossiers] + [_task(year.agency, task) for task in year.tasks]
    return Past(year.agency, Origin.REPLAY, sorted(cases, key=lambda case: case.filed_at))


def _case(agency: str, dossier: Dossier) -> PastCase:
    filing = {
        "agency": agency,
        "kind": Kind.DOSSIER.value,
        "procedure": dossier.procedure,
        "channel": dossier.channel.value,
        "return_channel": dossier.return_channel.value,
        "filed_at": dossier.submitted_at.isoformat(),
        "origin": Origin.REPLAY.value,
    }
    return PastCase(dossier.external_id, dossier.submitted_at, filing, numbered(_moves(dossier)))


def _moves(dossier: Dossier) -> Iterator[tuple[datetime, Command]]:
    yield dossier.accepted_at, Accept(unit=dossier.unit)
    for step in dossier.steps:
        yield step.occurred_at, CompleteStep(step=step.step, unit=step.unit)
    if dossier.resolved_at is not None:
        reason = REFUSED_BECAUSE if dossier.outcome is Outcome.REFUSED else None
        yield dossier.resolved_at, Resolve(outcome=dossier.outcome or Outcome.GRANTED, reason=reason)
    if dossier.returned_at is not None:
        yield dossier.returned_at, Return(channel=dossier.return_channel)


def _task(agency: str, task: Task) -> PastCase:
    """A task comes from the city, which is no applicant; it is taken on when it is assigned, and has no deadline."""
    filing = {
        "agency": agency,
        "kind": Kind.TASK.value,
        "procedure": task.procedure,
        "channel": Channel.ONLINE.value,
        "filed_at": task.accepted_at.isoformat(),
        "origin": Origin.REPLAY.value,
    }
    return PastCase(task.external_id, task.accepted_at, filing, numbered(_task_moves(task)))


def _task_moves(task: Task) -> Iterator[tuple[datetime, Command]]:
    yield task.accepted_at, Accept(unit=task.unit)
    for each in task.milestones:
        yield each.occurred_at, ReachMilestone(milestone=each.milestone, percent=each.percent)
    if task.resolved_at is not None:
        yield task.resolved_at, Resolve(outcome=Outcome.ANSWERED)


async def replay(year: Year, report: Report) -> dict[str, Any]:
    """Replay a year through the running stack; the figures of the metrics service."""
    async with connect() as services:
        return await replay_through(services, year, report)


async def replay_through(services: Services, year: Year, report: Report) -> dict[str, Any]:
    """Send the year, wait until it is seen, let the agency's clock stand at its close; the figures of the metrics service.

    Sent again, it changes nothing: every filing and command is recognised by its id, and the clock never goes back.
    """
    past = past_of(year)

    async def advance(at: datetime) -> None:
        if not _stands_at(await services.clock(year.agency), at):
            await services.set_clock(year.agency, at)

    await advance(year.opened_at - timedelta(days=1))
    await send(services, past, report, advance)
    await settle(services, past, report)
    await advance(year.closing_at)
    return await _standing_at(services, past, year.closing_at, report)


async def is_complete(year: Year) -> bool:
    """Whether the metrics service already says what this year ends with."""
    async with connect() as services:
        return await is_complete_through(services, year)


async def is_complete_through(services: Services, year: Year) -> bool:
    """Whether these services say so."""
    figures = await services.figures(year.agency)
    stocks = [figures["by_kind"].get(kind, {}) for kind in (Kind.DOSSIER, Kind.TASK)]
    totals = [stock.get(what, 0) for stock in stocks for what in ("received", "resolved")]
    done = sum(task.resolved_at is not None for task in year.tasks)
    return totals == [year.received, year.resolved, len(year.tasks), done] and _stands_at(figures["clock"], year.closing_at)


def _stands_at(clock: dict[str, Any], at: datetime) -> bool:
    return clock["mode"] == "historical" and datetime.fromisoformat(clock["at"]) >= at


async def _standing_at(services: Services, past: Past, at: datetime, report: Report) -> dict[str, Any]:
    """The figures once the metrics service has heard of the clock."""
    figures = await settle(services, past, report)
    while not _stands_at(figures["clock"], at):
        await asyncio.sleep(POLL_SECONDS)
        figures = await settle(services, past, report)
    return figures
