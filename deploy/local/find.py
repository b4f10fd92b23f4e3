"""Finds Kafka and PostgreSQL: an address of the settings, a container, or what this machine has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from deploy.local import ports
from deploy.local.containers import ContainerKafka, ContainerPostgres, find_image, image_is_here
from deploy.local.errors import StackError, UnavailableError
from deploy.local.kafka import GivenKafka, LocalKafka
from deploy.local.kafka.java import find_jars, find_java
from deploy.local.postgres import GivenPostgres, LocalPostgres
from deploy.local.postgres.binaries import find_binaries
from deploy.local.process import unprivileged_user
from deploy.local.server import Say, Server, quiet
from deploy.local.settings import PREFIX, LocalSettings, Source

if TYPE_CHECKING:
    from deploy.local.state import StateFolder

CONTAINER, LOCAL = Source.CONTAINER.value, Source.LOCAL.value


class Given(Protocol):
    """A server that somebody else runs."""

    name: str
    kind: str
    address: str

    def fault(self) -> str | None:
        """None when it answers, else why not."""


class Choice(ABC):
    """One server of the stack: how it is to be had, and what was remembered of it."""

    name: str
    address_setting: str
    source_setting: str

    def __init__(self, settings: LocalSettings, state: StateFolder) -> None:
        self.settings = settings
        self.state = state

    @property
    @abstractmethod
    def source(self) -> Source:
        """The kind that the settings ask for."""

    @property
    @abstractmethod
    def image(self) -> str:
        """The image for kind container."""

    @abstractmethod
    def given(self) -> Given | None:
        """The server of the settings' address, None when they have none."""

    @abstractmethod
    def check(self, kind: str, say: Say = quiet) -> str:
        """What this machine has for the kind, in words; UnavailableError when it has not what it needs."""

    @abstractmethod
    def make(self, kind: str, port: int | None) -> Server:
        """A server of the kind."""

    def find(self, say: Say = quiet) -> Server | Given:
        """The server, found anew or as remembered, prepared and checked; StackError says what was tried."""
        if given := self.given():
            if fault := given.fault():
                raise StackError(f"{self.name}: {fault}: start it, or unset {self.address_setting} to have one started")
            return given
        kind = self.remembered_kind() or self.choose(say)
        server = self.make(kind, ports.take_port(self.state.recall(self.name).get("port")))
        try:
            server.prepare(say)
        except UnavailableError as error:
            raise StackError(f"{self.name} (kind {kind}): {error}") from None
        self.state.remember(self.name, kind=kind, port=server.port)
        return server

    def recalled(self) -> Server | Given:
        """The server as `find` remembered it, without a search."""
        kept = self.state.recall(self.name)
        return self.given() or self.make(kept["kind"], kept["port"])

    def remembered_kind(self) -> str | None:
        """The kind that holds the content; StackError when the settings now ask for another."""
        kept: str | None = self.state.recall(self.name).get("kind")
        if kept and self.source not in {Source.AUTO, kept}:
            raise StackError(
                f"the content of {self.name} is kept by kind {kept}, but {self.source_setting}={self.source}: "
                "unset it, or `motcua down --wipe` starts anew"
            )
        return kept

    def image_here(self) -> str | None:
        """The image in words when an engine answers and has it; nothing is pulled."""
        return f"image {self.image}" if image_is_here(self.image) else None

    def choose(self, say: Say = quiet) -> str:
        """The first kind that works here; StackError when none does, with each reason."""
        faults = []
        for kind in (CONTAINER, LOCAL):
            if self.source not in {Source.AUTO, kind}:
                continue
            try:
                self.check(kind, say)
            except UnavailableError as error:
                faults.append(f"{kind}: {error}")
            else:
                return kind
        raise StackError(f"no {self.name} is to be had; {'; '.join(faults)}; or set {self.address_setting}")


class KafkaChoice(Choice):
    """Where Kafka comes from."""

    name = "kafka"
    address_setting = f"{PREFIX}KAFKA_BOOTSTRAP"
    source_setting = f"{PREFIX}KAFKA_SOURCE"

    @property
    def source(self) -> Source:
        """The kind that the settings ask for."""
        return self.settings.kafka_source

    @property
    def image(self) -> str:
        """The image of the settings."""
        return self.settings.kafka_image

    def given(self) -> Given | None:
        """The broker of the settings' address."""
        if self.settings.kafka_bootstrap is None:
            return None
        return GivenKafka(self.settings.kafka_bootstrap, plain=self.settings.kafka_security_protocol == "PLAINTEXT")

    def check(self, kind: str, say: Say = quiet) -> str:
        """An image, or Java and Kafka's jars."""
        if kind == CONTAINER:
            return f"image {find_image(self.image, say)}"
        java, version = find_java()
        return f"Java {version} ({java}), jars in {find_jars(say)}"

    def make(self, kind: str, port: int | None) -> Server:
        """A broker of the kind; the local one keeps its controller's port too."""
        log = self.state.logs / "kafka.log"
        folder = self.state.path / "kafka"
        if kind == CONTAINER:
            return ContainerKafka(self.image, folder, port=port, mark=self.state.hash, log=log)
        return LocalKafka(folder, port=port, log=log)


class PostgresChoice(Choice):
    """Where PostgreSQL comes from."""

    name = "postgres"
    address_setting = f"{PREFIX}POSTGRES_URL"
    source_setting = f"{PREFIX}POSTGRES_SOURCE"

    @property
    def source(self) -> Source:
        """The kind that the settings ask for."""
        return self.settings.postgres_source

    @property
    def image(self) -> str:
        """The image of the settings."""
        return self.settings.postgres_image

    def given(self) -> Given | None:
        """The server of the settings' address."""
        return GivenPostgres(self.settings.postgres_url) if self.settings.postgres_url else None

    def check(self, kind: str, say: Say = quiet) -> str:
        """An image, or server binaries."""
        if kind == CONTAINER:
            return f"image {find_image(self.image, say)}"
        binaries = find_binaries(unprivileged_user())
        return f"PostgreSQL {binaries.major} ({binaries.folder})"

    def make(self, kind: str, port: int | None) -> Server:
        """A server of the kind."""
        log = self.state.logs / "postgres.log"
        folder = self.state.path / "postgres"
        password = self.state.keys / "postgres-password"
        if kind == CONTAINER:
            return ContainerPostgres(self.image, folder, port=port, mark=self.state.hash, log=log, password_file=password)
        return LocalPostgres(folder, port=port, log=log, password_file=password)
