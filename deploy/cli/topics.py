"""`motcua topics apply | check`: the topics of the contract on the broker."""

from __future__ import annotations

import asyncio

import typer
from aiokafka.errors import KafkaError

from deploy.cli.output import AsJson, refuse, show
from deploy.local.environment import kafka_settings
from shared.contracts.topics import PARTITIONS, TOPICS
from shared.messaging.topics_admin import TopicsError, apply_topics, check_topics


def _apply(*, as_json: AsJson = False) -> None:
    """Create the topics that are missing; refuse when one has other partitions than the contract."""
    settings = kafka_settings()
    try:
        made = asyncio.run(apply_topics(settings))
    except TopicsError as error:
        refuse(str(error))
    except KafkaError as error:
        refuse(f"Kafka at {settings.kafka_bootstrap} does not answer ({type(error).__name__})")
    show({"created": made}, as_json=as_json, human=lambda result: f"created: {', '.join(result['created']) or 'nothing'}")


def _check(*, as_json: AsJson = False) -> None:
    """Compare partitions and settings with the contract; exit status 1 when they differ."""
    settings = kafka_settings()
    try:
        faults = asyncio.run(check_topics(settings))
    except KafkaError as error:
        refuse(f"Kafka at {settings.kafka_bootstrap} does not answer ({type(error).__name__})")
    show(
        {"ok": not faults, "topics": len(TOPICS), "partitions": PARTITIONS, "faults": faults},
        as_json=as_json,
        human=lambda result: "\n".join(result["faults"]) or f"{result['topics']} topics are as the contract says",
    )
    if faults:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    topics = typer.Typer(help="The topics of the contract.", no_args_is_help=True)
    topics.command("apply")(_apply)
    topics.command("check")(_check)
    app.add_typer(topics, name="topics")
