"""Checks this machine: what the stack needs, what is there, and how to get the rest."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from deploy.local import ports, prometheus
from deploy.local.containers import check_engine
from deploy.local.errors import StackError, UnavailableError
from deploy.local.find import LOCAL, Choice, KafkaChoice, PostgresChoice
from deploy.local.kafka.java import find_java, jars_are_cached, jars_folder
from deploy.local.postgres.binaries import find_binaries
from deploy.local.process import unprivileged_user
from deploy.local.settings import PREFIX, SERVICES, LocalSettings, Source
from deploy.local.state import ENOUGH_BYTES, StateFolder
from deploy.local.supervisor import LOCK


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. The stack cannot run when a needed one is not ok; `how` says what to do about it."""

    name: str
    ok: bool
    needed: bool
    found: str
    how: str = ""


def examine(settings: LocalSettings) -> dict[str, Any]:
    """Every finding, and whether the stack could run; nothing is downloaded or changed."""
    findings = [*_machine(settings), *_servers(settings), *_ports(settings)]
    return {
        "ok": all(each.ok or not each.needed for each in findings),
        "findings": [asdict(each) for each in findings],
    }


def _machine(settings: LocalSettings) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), True, platform.python_version(), "Python 3.11 or newer")
    free = StateFolder(settings.state_dir).free_bytes()
    yield Finding("disk", free >= ENOUGH_BYTES, True, f"{free // 2**20} MB free", "make room or set MOTCUA_STATE_DIR")
    yield _try("container engine", lambda: f"Docker {check_engine()}", "optional: Docker and a user that may use it")
    yield _try("java", lambda: "Java {1} ({0})".format(*find_java()))
    maven = shutil.which("mvn")
    yield Finding("maven", bool(maven), False, maven or "not installed", "Debian: apt-get install maven")
    cached = jars_are_cached()
    yield Finding(
        "kafka jars",
        cached,
        False,
        str(jars_folder()) if cached else "not cached",
        "the first start resolves them",
    )
    yield _try("postgres binaries", lambda: str(find_binaries(unprivileged_user()).folder))
    for program in ("prometheus", "promtool"):
        path = shutil.which(program) or (prometheus.find_program() if program == "prometheus" else None)
        yield Finding(
            program,
            bool(path),
            False,
            path or "not installed",
            "optional, Debian: apt-get install prometheus",
        )


def _try(name: str, check: Callable[[], str], how: str = "") -> Finding:
    try:
        return Finding(name, True, False, check())
    except StackError as error:
        return Finding(name, False, False, str(error), how)


def _servers(settings: LocalSettings) -> Iterator[Finding]:
    state = StateFolder(settings.state_dir)
    for choice in (KafkaChoice(settings, state), PostgresChoice(settings, state)):
        try:
            yield Finding(choice.name, True, True, _source_of(choice))
        except StackError as error:
            yield Finding(choice.name, False, True, str(error), f"see above, or set {choice.address_setting}")


def _source_of(choice: Choice) -> str:
    if given := choice.given():
        if fault := given.fault():
            raise StackError(fault)
        return f"the address of {choice.address_setting}"
    if kept := choice.remembered_kind():
        return f"kind {kept}, which holds the content"
    if choice.source is not Source.LOCAL and (found := choice.image_here()):
        return found
    if choice.source is Source.CONTAINER:
        raise StackError(f"the image {choice.image} is not here; the start would try to pull it")
    if choice.name == "kafka" and not jars_are_cached() and not shutil.which("mvn"):
        raise UnavailableError("Kafka's jars are not cached and Maven is not installed (Debian: apt-get install maven)")
    return choice.check(LOCAL) if choice.name != "kafka" or jars_are_cached() else "Kafka's jars by Maven, at the first start"


def _ports(settings: LocalSettings) -> Iterator[Finding]:
    ours = StateFolder(settings.state_dir).is_locked(LOCK)
    for name in (*SERVICES, "prometheus"):
        port = settings.port_of(name)
        free = ports.is_free(port)
        found = "free" if free else f"taken by {ports.holder_of(port)}"
        yield Finding(
            f"port {port} ({name})",
            free or ours,
            True,
            found,
            f"set {PREFIX}{name.upper()}_PORT to another port",
        )
