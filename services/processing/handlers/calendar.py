"""The calendar in force: what every decision counts by, and how an administrator changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.processing import repository
from services.processing.domain.almanac import Almanac
from services.processing.domain.case import Case
from services.processing.handlers.settling import Rules
from services.processing.repository import Sweep
from shared.contracts.events import CITY
from shared.contracts.words import Origin
from shared.persistence.database import Database, Tx
from shared.persistence.work import Store

Edit = Callable[[Almanac], Almanac]
"""Makes another calendar of the present one; raises UnfitCalendarError."""


async def rules_in_force(tx: Tx, rules: Rules) -> Rules:
    """The rules with the calendar as it stands, which stays so until this transaction ends; read when it has changed."""
    edition = await repository.hold_calendar(tx)
    if rules.newest and rules.newest[0].changed_at == edition.changed_at and rules.newest[0].revision == edition.revision:
        return rules.newest[0]
    almanac = await repository.read_almanac(tx, edition.revision)
    own = {agency: almanac.calendar(agency) for agency in almanac.agencies}
    read = replace(rules, calendar=almanac.calendar(), agencies=own, revision=edition.revision, changed_at=edition.changed_at)
    rules.newest[:] = [read]
    return read


async def read_calendar(database: Database) -> Almanac:
    """The calendar in force."""
    async with database.transaction() as tx:
        return await repository.read_almanac(tx, (await repository.hold_calendar(tx)).revision)


async def read_progress(database: Database) -> Sweep:
    """How far open cases were counted again since the last change."""
    async with database.transaction() as tx:
        return await repository.read_sweep(tx)


async def change_calendar(store: Store[Case], edit: Edit) -> Almanac:
    """Change the calendar, after every decision under way and before every later one; an edit that changes nothing is none.

    What follows for open cases is counted in the background.

    Raises:
        UnfitCalendarError: The edit breaks a rule; nothing was written.
    """
    async with store.open(()) as work:
        before = await repository.take_calendar(work.tx)
        after = edit(before)
        if after.says_the_same(before):
            return before
        after = replace(after, revision=await repository.write_almanac(work.tx, after))
        work.emit_agency(after.stated(), agency=CITY, sequence=after.revision, occurred_at=work.now, origin=Origin.LIVE)
        return after
