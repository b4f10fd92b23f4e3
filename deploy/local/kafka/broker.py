"""Apache Kafka on this machine's Java: one KRaft node, broker and controller in one process."""

from __future__ import annotations

import base64
import re
import signal
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local import ports
from deploy.local.errors import StackError
from deploy.local.kafka.java import find_jars, find_java
from deploy.local.kafka.probe import kafka_fault
from deploy.local.process import Launch
from deploy.local.server import Server, quiet

if TYPE_CHECKING:
    from deploy.local.server import Say

_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_HEAP = ("-Xms256m", "-Xmx512m")
_LOG4J = Path(__file__).with_name("log4j2.properties")
_FORMAT_SECONDS = 60

# Kafka's own defaults want three brokers; groups must not wait 3 s for company; topics are made by `topics apply` only.
ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "broker.session.timeout.ms": "3000",  # a killed broker's next life waits for the end of the last one's session
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "33554432",
}


class LocalKafka(Server):
    """A broker whose content, settings and log lie in `folder`. `port` is kept for the life of the object."""

    name = "kafka"
    kind = "local"

    def __init__(
        self, folder: Path, *, port: int | None = None, controller_port: int | None = None, log: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.folder = folder
        self.port = port or ports.take_port()
        self.controller_port = controller_port or ports.take_port(self._last_controller_port(), avoid=frozenset({self.port}))
        self._log = log or folder / "kafka.log"
        self._settings = settings or {}

    @property
    def address(self) -> str:
        """host:port of the broker."""
        return f"{ports.HOST}:{self.port}"

    bootstrap = address

    def prepare(self, say: Say = quiet) -> None:
        """Resolve the jars and format the storage, once."""
        find_java()
        find_jars(say)
        self._write_settings()
        if not (self.folder / "data" / "meta.properties").is_file():
            say("formatting Kafka's storage")
            self._format()

    def launch(self) -> Launch:
        """The broker's process."""
        self._write_settings()
        return Launch(
            argv=[*self._java(*_HEAP), "kafka.Kafka", str(self._properties)],
            log=self._log,
            folder=self.folder,
            death_signal=signal.SIGTERM,
            grace_seconds=30,
        )

    def fault(self) -> str | None:
        """None when the broker serves."""
        return kafka_fault(ports.HOST, self.port)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _last_controller_port(self) -> int | None:
        written = self._properties.read_text() if self._properties.is_file() else ""
        match = re.search(r"^controller\.quorum\.bootstrap\.servers=.*:(\d+)$", written, re.MULTILINE)
        return int(match[1]) if match else None

    def _java(self, *options: str) -> list[str]:
        java, _ = find_java()
        logging = f"-Dlog4j2.configurationFile=file:{_LOG4J}"
        return [java, *options, *_JVM, logging, "-cp", f"{find_jars()}/*"]

    def _write_settings(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            **ONE_NODE,
            "log.dirs": str(self.folder / "data"),
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{ports.HOST}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address},CONTROLLER://{ports.HOST}:{self.controller_port}",
            "controller.quorum.bootstrap.servers": f"{ports.HOST}:{self.controller_port}",
            **self._settings,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        options = [
            "format",
            "--standalone",
            "--ignore-formatted",
            f"--cluster-id={cluster}",
            f"--config={self._properties}",
        ]
        command = [*self._java("-Xmx128m"), "kafka.tools.StorageTool", *options]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise StackError(f"formatting Kafka's storage in {self.folder} took more than {_FORMAT_SECONDS} s") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise StackError(
                f"Kafka's storage in {self.folder} could not be formatted: {said[-1] if said else 'no reason given'}"
            )
