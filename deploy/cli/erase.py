"""`motcua erase CASE_ID`: a person's data, gone from the databases at once and from the topic within the bound, and the proof."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
from aiokafka.errors import KafkaError

from deploy.cli.asking import SilentError, Stack
from deploy.cli.output import DONE, REFUSED, AsJson, refuse, say, show
from deploy.erasure.topic import read_case
from deploy.local.environment import kafka_settings
from deploy.local.settings import SERVICES
from shared.contracts.erasure import ErasureReason

Holdings = dict[str, Any]
"""What a service says of a case: `held` by table, and whether the erasure is through (`erased`)."""

LOOK_SECONDS = 0.5
SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)


def erase(
    case_id: Annotated[UUID, typer.Argument(help="The case whose applicant is to be forgotten.")],
    reason: Annotated[ErasureReason, typer.Option(help="Why, for the access log.")] = ErasureReason.PERSON_ASKED,
    wait: Annotated[float, typer.Option(min=0, help="Seconds that the services may take.")] = 60,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only read the topic: exit status 1 while a value is there.")] = False,
    as_json: AsJson = False,
) -> int:
    """Erase the personal data of a case, and wait until no service's database holds any of it."""
    if check:
        return _check(case_id, as_json=as_json)
    stack = Stack("motcua-erase")
    asked = stack.ask("intake", f"/v1/cases/{case_id}/applicant", params={"reason": reason.value}, method="DELETE")
    if asked is None:
        refuse(f"no such case: {case_id}")
    held, seconds = follow(stack, case_id, wait)
    clean = all(is_clean(each) for each in held.values())
    content = {
        "case_id": str(case_id), "reason": reason.value, "erased": clean, "seconds": round(seconds, 1), "held": held,
        "topic clean within seconds": kafka_settings().erasure_seconds, "proof": f"motcua erase {case_id} --check",
    }  # fmt: skip
    show(content, as_json=as_json, human=as_text)
    return DONE if clean else REFUSED


def follow(stack: Stack, case_id: UUID, wait: float) -> tuple[dict[str, Holdings | None], float]:
    """What each service holds of a case, asked until it is nothing or time is up; None of one that does not answer."""
    began = time.monotonic()
    while True:
        held = {service: _ask(stack, service, case_id) for service in SERVICES}
        seconds = time.monotonic() - began
        if seconds >= wait or all(is_clean(each) for each in held.values()):
            return held, seconds
        time.sleep(LOOK_SECONDS)


def _ask(stack: Stack, service: str, case_id: UUID) -> Holdings | None:
    try:
        return stack.ask(service, f"/v1/cases/{case_id}/holdings")
    except SilentError as error:
        say(str(error))
        return None


def is_clean(holdings: Holdings | None) -> bool:
    """Whether a service has heard of the erasure and holds nothing."""
    return holdings is not None and holdings["erased"] and not any(holdings["held"].values())


def _check(case_id: UUID, *, as_json: bool) -> int:
    settings = kafka_settings()
    try:
        found = asyncio.run(read_case(settings, case_id))
    except KafkaError as error:
        refuse(f"Kafka at {settings.kafka_bootstrap} does not answer ({type(error).__name__})")
    content = asdict(found) | {"clean": not found.values, "bound_seconds": settings.erasure_seconds}
    show(content, as_json=as_json, human=check_as_text)
    return REFUSED if found.values else DONE


def as_text(content: dict[str, Any]) -> str:
    """The result for people."""
    lines = []
    for service, holdings in content["held"].items():
        lines.append(f"  {service:<14}{_in_words(holdings)}")
    hours = content["topic clean within seconds"] / 3600
    end = (
        [
            f"erased from every database in {content['seconds']} s.",
            f"On case-private the tombstones stand; what they erase is compacted away within {hours:g} h.",
            f"Proof by reading: {content['proof']}",
        ]
        if content["erased"]
        else ["NOT erased everywhere yet: run it again; `motcua status` and `motcua dead-letters` say what stands in the way"]
    )
    return "\n".join(["held of the case now:", *lines, *end])


def _in_words(holdings: Holdings | None) -> str:
    if holdings is None:
        return "does not answer"
    left = [f"{number} in {table}" for table, number in holdings["held"].items() if number]
    return ", ".join(left if holdings["erased"] else [*left, "has not heard of the erasure yet"]) or "nothing"


def check_as_text(content: dict[str, Any]) -> str:
    """The proof for people."""
    head = f"{content['records']:,} records of case-private and its copies read; of this case {content['tombstones']} tombstones"
    if content["clean"]:
        return f"{head} and no value: nothing of it is left on the topic"
    places = [f"  {each['topic']} {each['partition']}:{each['offset']} {each['what']}" for each in content["values"][:SHOWN]]
    bound = f"compaction takes them away within {content['bound_seconds'] / 3600:g} h of the erasure"
    return "\n".join([f"{head} and {len(content['values'])} values still there ({bound}):", *places])
