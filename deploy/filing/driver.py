"""Files a whole file, or checks it: from the beginning, or from where the last run was interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.filing.check import Checked, check
from deploy.filing.journal import Journal, Places
from deploy.filing.lines import Survey
from deploy.filing.send import Intake, Report, is_same_intake, send


@dataclass(frozen=True, slots=True)
class Filing:
    """A file on its way to intake. `agency` is whose token is used, None for any agency's."""

    file: Path
    places: Places
    whole: Survey
    url: str
    token: Callable[[], str]
    agency: str | None = None

    async def run(self, report: Report, say: Callable[[str], None]) -> dict[str, Any]:
        """File what is not filed yet; what became of all lines. The journal is gone when all have their answer.

        Raises:
            CommandError: Intake refuses the request as a whole, or stays away; the journal holds how far it came.
        """
        async with httpx.AsyncClient() as http:
            intake = Intake(self.url, self.token, http)
            journal = await self._journal(intake, say)
            begun_at, began = journal.line, time.monotonic()
            before = journal.opened + journal.known
            await send(intake, self.file, self.places, journal, self.whole.lines, report)
        seconds = time.monotonic() - began
        self.places.journal.unlink(missing_ok=True)
        if journal.refused == 0:
            self.places.refused.unlink(missing_ok=True)
        return {
            "file": self.file.name, "agency": self.agency, "lines": self.whole.lines, "went_on_after_line": begun_at,
            "opened": journal.opened, "known": journal.known, "refused": journal.refused,
            "refused_file": str(self.places.refused) if journal.refused else None, "seconds": round(seconds, 2),
            "cases_per_second": round((journal.opened + journal.known - before) / max(seconds, 1e-3)),
        }  # fmt: skip

    async def check(self, report: Report) -> Checked:
        """Ask intake about every line; nothing is stored. Raises as `run` does."""
        async with httpx.AsyncClient() as http:
            return await check(Intake(self.url, self.token, http), self.file, self.whole.lines, report)

    async def _journal(self, intake: Intake, say: Callable[[str], None]) -> Journal:
        """The journal to go on with; a new one unless it is of this content, this agency and this very intake."""
        new, found = Journal(self.whole.digest, self.url, self.agency), Journal.load(self.places.journal)
        if found is None:
            return new
        if (found.digest, found.intake, found.agency) != (new.digest, new.intake, new.agency):
            say("the journal is of other content, another agency or another intake: beginning with the first line")
            return new
        if self.places.refused_bytes < found.refused_bytes:
            say(f"{self.places.refused.name} is not what the last run wrote: beginning with the first line")
            return new
        if not await is_same_intake(intake, found):
            say("intake does not know what the journal says was filed: beginning with the first line")
            return new
        say(f"going on after line {found.line:,}")
        return found
