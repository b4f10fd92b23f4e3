"""`motcua reconcile [--agency A] [--wait S] [--json]`: is what was accepted stored, published and seen everywhere?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Annotated, Any

import httpx
import typer

from deploy.cli.output import DONE, REFUSED, AsJson, show, table
from deploy.history.reconcile import SOURCES, Difference, compare, read_books, read_published
from deploy.local.environment import running_environment, service_url
from deploy.local.keys import sign_token
from deploy.local.settings import SERVICES, load_settings
from deploy.local.state import StateFolder
from shared.security.tokens import Role
from shared.settings import KafkaSettings

TOKEN_SECONDS = 3600
AGAIN_SECONDS = 1.0
SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)


def reconcile(
    agency: Annotated[str | None, typer.Option(help="Only this agency's cases.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds that what is still on its way may take.")] = 10,
    *,
    as_json: AsJson = False,
) -> int:
    """Compare accepted, stored, published and seen, case by case; exit status 1 when they differ, with the ids."""
    environment, settings = running_environment(), load_settings()
    token = sign_token(StateFolder(settings.state_dir), role=Role.ADMIN, agency=None, unit=None, seconds=TOKEN_SECONDS)
    urls = {name: service_url(name, environment) for name in SERVICES}
    content = asyncio.run(reconcile_through(urls, token, KafkaSettings.of(environment), agency, wait))
    show(content, as_json=as_json, human=as_text)
    return DONE if content["agree"] else REFUSED


async def reconcile_through(
    urls: dict[str, str], token: str, kafka: KafkaSettings, agency: str | None, wait: float
) -> dict[str, Any]:
    """The result as a document. What differs is looked at again for `wait` seconds: only what stays the same is no traffic."""
    deadline = time.monotonic() + wait
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        content, differences = await _look(http, urls, kafka, agency)
        while differences and time.monotonic() < deadline:
            await asyncio.sleep(AGAIN_SECONDS)
            content, now = await _look(http, urls, kafka, agency)
            differences = [each for each in now if each in set(differences)]
    return content | {
        "agree": not differences,
        "cases that differ": sorted({each.case_id for each in differences}),
        "differences": [asdict(each) for each in differences],
    }


async def _look(
    http: httpx.AsyncClient, urls: dict[str, str], kafka: KafkaSettings, agency: str | None
) -> tuple[dict[str, Any], list[Difference]]:
    read = {name: await read_books(http, url) for name, url in urls.items()}
    published = await read_published(kafka)
    kept = {name: books for name, (books, _) in read.items()}
    content = {
        "agency": agency,
        "stated": {source: sum(row["stated"] for row in kept[source].values()) for source in SOURCES},
        "published": {source: published.records[source] for source in SOURCES},
        "in outboxes": {name: pending for name, (_, pending) in read.items()},
        "cases known": {name: len(books) for name, books in kept.items()},
    }
    return content, compare(kept, published, agency)


def as_text(content: dict[str, Any]) -> str:
    """The result for people."""
    names = list(content["cases known"])
    rows = [
        [what, *(f"{content[what][name]:,}" if name in content[what] else "" for name in names)]
        for what in ("cases known", "stated", "published", "in outboxes")
    ]
    rows.insert(0, ["", *names])
    if content["agree"]:
        return f"{table(rows)}\n\nstated = published = seen by every service" + (
            f", for the cases of {content['agency']}" if content["agency"] else ""
        )
    differences = content["differences"]
    head = f"cases that differ: {len(content['cases that differ']):,}, in {len(differences):,} places"
    lines = [f"  {each['case_id']}  {each['what']}: {each['found']}, not {each['expected']}" for each in differences[:SHOWN]]
    rest = [f"  … and {len(differences) - SHOWN:,} more; --json has all"] if len(differences) > SHOWN else []
    return "\n".join([table(rows), "", head, *lines, *rest])
