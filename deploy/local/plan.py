"""What the supervisor shall run: the servers, the topics, the services and Prometheus."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from deploy.local import ports, prometheus
from deploy.local.environment import running_environment, service_url
from deploy.local.errors import StackError
from deploy.local.find import Choice, Given, KafkaChoice, PostgresChoice
from deploy.local.process import Launch
from deploy.local.server import Server
from deploy.local.settings import CHECKOUT, PREFIX, SERVICES, LocalSettings
from deploy.local.state import StateFolder
from deploy.local.units import Stage, Unit

WANTED = "wanted.json"
_PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`servers` start first; `before_services` runs when they are ready; `services` is asked again at every SIGHUP."""

    state: StateFolder
    servers: list[Unit]
    services: Callable[[], list[Unit]]
    before_services: Callable[[], Awaitable[None]] | None = None


def make_plan(settings: LocalSettings, state: StateFolder) -> Plan:
    """The plan that `motcua up` left in the state folder."""
    environment = running_environment(settings)
    choices: list[tuple[Choice, Stage]] = [
        (PostgresChoice(settings, state), Stage.DATABASE),
        (KafkaChoice(settings, state), Stage.BROKER),
    ]
    return Plan(
        state=state,
        servers=[_server_unit(choice.recalled(), stage) for choice, stage in choices],
        services=lambda: _wanted_units(settings, state, environment),
        before_services=lambda: make_topics(environment),
    )


async def make_topics(environment: dict[str, str]) -> None:
    """Create the topics of the contract on the stack's Kafka; safe to repeat. StackError when others are there."""
    from shared.messaging.topics_admin import TopicsError, apply_topics
    from shared.settings import KafkaSettings

    try:
        await apply_topics(KafkaSettings.of(environment))
    except TopicsError as error:  # trying again would not mend it
        raise StackError(f"the topics on Kafka are not those of the contract: {error}") from None


def _server_unit(server: Server | Given, stage: Stage) -> Unit:
    launch = server.launch if isinstance(server, Server) else None
    shown = server.address.rpartition("@")[2]  # a URL's user and password stay out
    return Unit(
        name=server.name, stage=stage, kind=server.kind, address=shown, launch=launch,
        fault=lambda: asyncio.to_thread(server.fault),
    )  # fmt: skip


def wanted(state: StateFolder) -> tuple[list[str], dict[str, int]]:
    """The units to run besides Kafka and PostgreSQL, and the number of replicas of each service."""
    kept = state.load(WANTED)
    return kept.get("units", [*SERVICES, "prometheus"]), kept.get("replicas", {})


def _wanted_units(settings: LocalSettings, state: StateFolder, environment: dict[str, str]) -> list[Unit]:
    names, replicas = wanted(state)
    units = []
    targets = {}
    for service in (name for name in SERVICES if name in names):
        addresses = _replica_ports(settings, state, service, replicas.get(service, 1))
        targets[service] = [f"{ports.HOST}:{port}" for port in addresses.values()]
        units += [_service_unit(service, name, port, state, environment) for name, port in addresses.items()]
    if "prometheus" in names and (program := prometheus.find_program()):
        prometheus.write_targets(state.path, targets)
        units.append(_prometheus_unit(settings, state, program))
    return units


def _replica_ports(settings: LocalSettings, state: StateFolder, service: str, count: int) -> dict[str, int]:
    """The first replica has the port of the settings; the others keep the free one they once got."""
    addresses = {service: settings.port_of(service)}
    kept = state.recall("replicas")
    for number in range(2, count + 1):
        name = f"{service}-{number}"
        addresses[name] = kept.get(name) or ports.take_port()
    state.remember("replicas", **addresses)
    return addresses


def _service_unit(service: str, name: str, port: int, state: StateFolder, environment: dict[str, str]) -> Unit:
    variables = {**environment, f"{PREFIX}{service.upper()}_PORT": str(port)}
    launch = Launch(
        argv=[sys.executable, "-m", f"services.{service}"],
        environment=variables,
        log=state.logs / f"{name}.log",
        folder=CHECKOUT,
    )
    return http_unit(name, launch, service_url(service, variables), Stage.SERVICE, "/health/ready")


def _prometheus_unit(settings: LocalSettings, state: StateFolder, program: str) -> Unit:
    port = settings.prometheus_port
    launch = Launch(
        argv=prometheus.arguments(program, state.path, port, settings.prometheus_retention),
        log=state.logs / "prometheus.log",
    )
    return http_unit("prometheus", launch, f"http://{ports.HOST}:{port}", Stage.WATCH, "/-/ready")


def http_unit(name: str, launch: Launch, url: str, stage: Stage, path: str) -> Unit:
    """A unit that is ready when its address answers 200 there."""
    return Unit(
        name=name,
        stage=stage,
        kind="process",
        address=url,
        launch=lambda: launch,
        fault=lambda: http_fault(url + path),
    )


async def http_fault(url: str) -> str | None:
    """None when the address answers 200, else what it says instead."""
    try:
        async with httpx.AsyncClient(timeout=_PROBE_SECONDS, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        return f"{url} does not answer ({type(error).__name__})"
    said = " ".join(answer.text.split())[:200]
    return None if answer.status_code == httpx.codes.OK else f"{url} says {answer.status_code}: {said}"
