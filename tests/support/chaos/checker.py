"""The history checker: what was promised, against what is on record everywhere. One for all faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deploy.cli.reconcile import reconcile_through
from services.notification.domain.policy import NOTICES
from shared.security.tokens import Role
from tests.support.chaos.history import Published
from tests.support.chaos.load import FACTS, Load
from tests.support.installation import SERVICES, Installation
from tests.support.waiting import eventually

SHOWN = 5
SERIES_SECONDS = 45.0
"""The series are read again only now and then, less often the busier the machine."""
OF_TIME = frozenset({"case.due_soon", "case.overdue", "case.escalated"})
"""Facts that no command asks for: a run may go through the hour at which one falls due."""


@dataclass(slots=True)
class Verdict:
    """What was found. `repeated` are records that came twice on the topic, which transport may do and readers must drop."""

    cases: int = 0
    events: int = 0
    messages: int = 0
    repeated: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing doubled, nothing else."""
        return not (self.lost or self.doubled or self.wrong)

    def __str__(self) -> str:
        """The first findings of each sort."""
        sorts = {"lost": self.lost, "doubled": self.doubled, "wrong": self.wrong}
        return "\n".join(f"{name} {len(found)}: {'; '.join(found[:SHOWN])}" for name, found in sorts.items() if found)

    def compare(self, what: str, expected: Iterable[Any], found: Iterable[Any]) -> None:
        """Both as bags: what is missing is lost, what is too much is doubled."""
        wanted, there = Counter(expected), Counter(found)
        self.lost += [f"{what}: {each}" for each in (wanted - there).elements()]
        self.doubled += [f"{what}: {each}" for each in (there - wanted).elements()]


async def check(city: Installation, load: Load, published: Published) -> Verdict:
    """Everything that must hold after a run has come to rest."""
    verdict = Verdict(cases=len(load.cases), wrong=list(load.wrong))
    verdict.events = sum(len(set(facts)) for facts in published.cases.values())
    verdict.repeated = sum(map(len, published.cases.values())) - verdict.events
    await _filed(verdict, city, load)
    _streams(verdict, published)
    _lives(verdict, load, published)
    await _history(verdict, city, load, published)
    await _messages(verdict, city, load, published)
    await _figures(verdict, city, load, published)
    await _left_over(verdict, city, load)
    books = await reconciled(city, load.agency)
    verdict.wrong += [f"books: {each}" for each in books["differences"]]
    return verdict


async def reconciled(city: Installation, agency: str) -> dict[str, Any]:
    """What `motcua reconcile` says of an agency."""
    urls = {name: city.url(name) for name in SERVICES}
    return await reconcile_through(urls, city.keys.token(Role.ADMIN), city.kafka, agency, wait=0)


async def _filed(verdict: Verdict, city: Installation, load: Load) -> None:
    """Every 2xx has its case, each key one."""
    verdict.lost += [f"{each.key} was never answered" for each in load.cases if not each.settled]
    rows = await city.query("intake", "select key, case_id from idempotency where scope = $1", f"agency:{load.agency}")
    verdict.compare("key and case", ((each.key, each.case_id) for each in load.cases), ((row[0], str(row[1])) for row in rows))
    for table in ("submissions", "cases"):
        stored = await city.query(
            "intake", f"select case_id from {table} join idempotency using (case_id) where scope = $1", f"agency:{load.agency}"
        )
        verdict.compare(table, (each.case_id for each in load.cases), (str(row[0]) for row in stored))


def _streams(verdict: Verdict, published: Published) -> None:
    """Per case and source: 1…n without a gap, in order, one fact a number."""
    for case_id in published.cases:
        for source in ("intake", "processing", "notification"):
            once = published.once(case_id, source)
            numbers = [fact.sequence for fact in once]
            verdict.compare(f"sequence of {source} {case_id}", range(1, max(numbers, default=0) + 1), numbers)
            if numbers != sorted(numbers):
                verdict.wrong.append(f"order of {source} {case_id}: {numbers}")


def _lives(verdict: Verdict, load: Load, published: Published) -> None:
    """Every case has the facts that its commands lead to, in their order and once, and no other."""
    for each in load.cases:
        stated = published.once(str(each.case_id), "processing")
        expected = [FACTS[command.type] for command in each.commands]
        found = [fact.type for fact in stated if fact.type not in OF_TIME]
        if found != expected:
            verdict.compare(f"facts of {each.key} {each.case_id}", expected, found)
            verdict.wrong.append(f"life of {each.key} {each.case_id}: {found} for {expected}")
        verdict.compare(
            f"submission of {each.key}", ["case.submitted"], [f.type for f in published.once(str(each.case_id), "intake")]
        )
    known = {str(each.case_id) for each in load.cases}
    verdict.doubled += [f"case that nobody was promised: {case_id}" for case_id in published.cases if case_id not in known]


async def _history(verdict: Verdict, city: Installation, load: Load, published: Published) -> None:
    """What processing keeps is what it published."""
    rows = await city.query(
        "processing",
        "select h.case_id, h.event_id from history h join cases c using (case_id) where c.agency = $1",
        load.agency,
    )
    stated = {(case_id, fact.id) for case_id, facts in published.cases.items() for fact in facts if fact.source != "notification"}
    verdict.compare("history", stated, ((str(row[0]), str(row[1])) for row in rows))


async def _messages(verdict: Verdict, city: Installation, load: Load, published: Published) -> None:
    """One message for each fact that notifies, sent, stated once, and in the file."""
    notifying = [fact.id for facts in published.cases.values() for fact in set(facts) if fact.type in NOTICES]
    rows = await city.query("notification", "select fact_id, id, status from ledger where agency = $1", load.agency)
    verdict.messages = len(rows)
    verdict.compare("message about", notifying, (row[0] for row in rows))
    verdict.wrong += [f"message {row[1]} is {row[2]}" for row in rows if row[2] != "sent"]
    sent = [fact.cause for facts in published.cases.values() for fact in set(facts) if fact.source == "notification"]
    verdict.compare("notification.sent about", notifying, sent)
    lines = (city.folder / "messages.ndjson").read_text().splitlines()
    ours = {str(row[1]) for row in rows}
    written = [found for line in lines if (found := json.loads(line)["id"]) in ours]
    verdict.compare("line of message", ours, written)


async def _figures(verdict: Verdict, city: Installation, load: Load, published: Published) -> None:
    """What metrics says is what happened: by its answers and by its series."""
    kinds = Counter(fact.type for facts in published.cases.values() for fact in set(facts))
    expected = {
        "received": kinds["case.accepted"], "resolved": kinds["case.resolved"], "returned": kinds["case.returned"],
        "open": kinds["case.accepted"] - kinds["case.resolved"], "left": 0, "steps": kinds["case.step_completed"],
    }  # fmt: skip
    figures = await city.get("metrics", "/v1/figures", agency=load.agency)
    verdict.wrong += [f"{name} is {figures[name]}, not {count}" for name, count in expected.items() if figures[name] != count]
    if figures["origins"] != {"live": len(load.cases)}:
        verdict.wrong.append(f"cases by origin are {figures['origins']}, not {len(load.cases)}")
    wanted = {
        "motcua_cases_received_total": expected["received"], "motcua_cases_resolved_total": expected["resolved"],
        "motcua_cases_returned_total": expected["returned"], "motcua_case_backlog": expected["open"],
        "motcua_notifications_total": kinds["notification.sent"],
    }  # fmt: skip

    async def look() -> bool:
        shown: Counter[str] = Counter()
        for sample, value in (await city.series("metrics")).items():
            if f'agency="{load.agency}"' in sample:
                shown[sample.partition("{")[0]] += int(value)
        differ = {name: (shown[name], count) for name, count in wanted.items() if shown[name] != count}
        assert not differ, differ
        return True

    try:
        await eventually("the series say the same", look, within=SERIES_SECONDS, every=0.3)
    except AssertionError as error:
        verdict.wrong.append(str(error))


async def _left_over(verdict: Verdict, city: Installation, load: Load) -> None:
    """Nothing parked, nothing waiting, nothing missing, nothing unsent."""
    for service in SERVICES:
        parked = await city.query(service, "select topic, reason, detail from parked")
        verdict.wrong += [f"{service} parked {tuple(row)}" for row in parked]
        outbox = await city.query(service, "select count(*) from outbox")
        verdict.wrong += [f"{service} has {row[0]} records in its outbox" for row in outbox if row[0]]
    missing = await city.query("metrics", "select case_id, source, sequence from missing_events")
    verdict.lost += [f"metrics misses {tuple(row)}" for row in missing]
    waiting = await city.query("processing", "select command_id from waiting where agency = $1", load.agency)
    verdict.wrong += [f"command {row[0]} still waits" for row in waiting]
