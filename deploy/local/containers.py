"""Kafka and PostgreSQL in containers, driven by the docker command line."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.local import ports
from deploy.local.errors import StackError, UnavailableError
from deploy.local.kafka.broker import ONE_NODE
from deploy.local.kafka.probe import kafka_fault
from deploy.local.postgres.given import postgres_fault
from deploy.local.postgres.server import SMALL_MACHINE, password_in, url_of
from deploy.local.process import Launch
from deploy.local.server import Say, Server, quiet

LABEL = "motcua.state"
_PULL_SECONDS = 90
_COMMAND_SECONDS = 30
_CONTROLLER_PORT = 29_093  # inside the container only
_POSTGRES_PORT = 5432


def docker(*arguments: str, timeout: float = _COMMAND_SECONDS) -> str:
    """Run a docker command (seconds); UnavailableError with docker's own last line when it fails."""
    program = shutil.which("docker")
    if program is None:
        raise UnavailableError("the docker command is not installed")
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"`docker {arguments[0]}` gave no answer in {timeout:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UnavailableError(said[-1] if said else f"`docker {arguments[0]}` failed")
    return done.stdout.strip()


def check_engine() -> str:
    """The engine's version; UnavailableError when none answers."""
    try:
        return docker("version", "--format", "{{.Server.Version}}", timeout=10)
    except UnavailableError as error:
        raise UnavailableError(f"no container engine answers ({error})") from None


def image_is_here(image: str) -> bool:
    """Whether an engine answers and has the image."""
    try:
        docker("image", "inspect", "--format", "{{.Id}}", image, timeout=10)
    except UnavailableError:
        return False
    return True


def find_image(image: str, say: Say = quiet) -> str:
    """The image, pulled when it is not there; UnavailableError when that fails."""
    check_engine()
    if not image_is_here(image):
        say(f"pulling the image {image} (at most {_PULL_SECONDS} s)")
        try:
            docker("pull", "--quiet", image, timeout=_PULL_SECONDS)
        except UnavailableError as error:
            raise UnavailableError(f"the image {image} is not there and could not be pulled ({error})") from None
    return image


def remove_all(state_hash: str, *, volumes: bool) -> None:
    """Remove the containers of a state folder, and their volumes; nothing when no engine answers."""
    mark = f"label={LABEL}={state_hash}"
    try:
        if found := docker("ps", "--all", "--quiet", "--filter", mark).split():
            docker("rm", "--force", *found)
        if volumes and (found := docker("volume", "ls", "--quiet", "--filter", mark).split()):
            docker("volume", "rm", "--force", *found)
    except UnavailableError as error:
        raise StackError(f"the containers labelled {LABEL}={state_hash} could not be removed: {error}") from None


class _Container(Server):
    """A container run in the foreground, so that its command line is the process that is watched."""

    kind = "container"
    volume_target: str
    stop_signal: signal.Signals

    def __init__(self, image: str, folder: Path, *, port: int | None, mark: str | None, log: Path | None) -> None:
        super().__init__()
        self.image = image
        self.folder = folder
        self.port = port or ports.take_port()
        self.mark = mark or hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
        self.title = f"motcua-{self.mark}-{self.name}"
        self._log = log or folder / f"{self.name}.log"

    def prepare(self, say: Say = quiet) -> None:
        """Pull the image and make the volume, once."""
        find_image(self.image, say)
        self.folder.mkdir(parents=True, exist_ok=True)
        docker("volume", "create", "--label", f"{LABEL}={self.mark}", self.title)

    def launch(self) -> Launch:
        """`docker run` in the foreground; it hands the stop signal on to the container."""
        self._remove_leftover()
        variables = self.variables()
        argv = [
            "docker", "run", "--rm", "--name", self.title, "--label", f"{LABEL}={self.mark}",
            "--publish", f"{ports.HOST}:{self.port}:{self.inner_port}", "--volume", f"{self.title}:{self.volume_target}",
            *(word for name in variables for word in ("--env", name)), self.image, *self.arguments(),
        ]  # fmt: skip
        return Launch(
            argv=argv, log=self._log, environment=variables, stop_signal=self.stop_signal, death_signal=self.stop_signal,
            grace_seconds=30,
        )  # fmt: skip

    def kill(self) -> None:
        """Kill -9 of what runs inside."""
        if self.pid is not None:
            docker("kill", self.title)
        if self._process is not None:
            self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT pause the container; other signals go to what runs inside."""
        verbs = {signal.SIGSTOP: ("pause",), signal.SIGCONT: ("unpause",)}
        docker(*verbs.get(number, ("kill", "--signal", number.name)), self.title)

    def stop(self) -> None:
        """Stop it in order; what the command line left behind is removed."""
        super().stop()
        if self._process is not None:
            self._remove_leftover()

    def forget(self) -> None:
        """Remove the container and its volume."""
        remove_all(self.mark, volumes=True)

    @property
    def inner_port(self) -> int:
        """The port inside the container."""
        return self.port

    def variables(self) -> dict[str, str]:
        """Environment of the container; never on the command line, which every user may read."""
        return {}

    def arguments(self) -> list[str]:
        """What follows the image's name."""
        return []

    def _remove_leftover(self) -> None:
        if docker("ps", "--all", "--quiet", "--filter", f"name=^{self.title}$"):
            docker("rm", "--force", self.title)


class ContainerKafka(_Container):
    """An image that takes its settings as `KAFKA_*` variables, as the public ones do."""

    name = "kafka"
    volume_target = "/var/lib/kafka/data"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        image: str,
        folder: Path,
        *,
        port: int | None = None,
        mark: str | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__(image, folder, port=port, mark=mark, log=log)

    @property
    def address(self) -> str:
        """host:port of the broker."""
        return f"{ports.HOST}:{self.port}"

    bootstrap = address

    def variables(self) -> dict[str, str]:
        """The one-node settings, listeners included."""
        settings = {
            **ONE_NODE,
            "log.dirs": f"{self.volume_target}/log",
            "listeners": f"PLAINTEXT://0.0.0.0:{self.port},CONTROLLER://127.0.0.1:{_CONTROLLER_PORT}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.quorum.voters": f"1@127.0.0.1:{_CONTROLLER_PORT}",
        }
        named = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
        return {**named, "KAFKA_HEAP_OPTS": "-Xms256m -Xmx512m"}

    def fault(self) -> str | None:
        """None when the broker serves."""
        return kafka_fault(ports.HOST, self.port)


class ContainerPostgres(_Container):
    """An image that takes `POSTGRES_PASSWORD` and server options, as the public one does."""

    name = "postgres"
    volume_target = "/var/lib/postgresql/data"
    stop_signal = signal.SIGINT

    def __init__(
        self, image: str, folder: Path, *, port: int | None = None, mark: str | None = None, log: Path | None = None,
        password_file: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__(image, folder, port=port, mark=mark, log=log)
        self._password_file = password_file or folder / "password"

    @property
    def address(self) -> str:
        """The server's URL with its password."""
        return url_of(self.port, password_in(self._password_file))

    url = address

    @property
    def inner_port(self) -> int:
        """PostgreSQL's own port."""
        return _POSTGRES_PORT

    def variables(self) -> dict[str, str]:
        """The superuser's password and the cluster's locale."""
        return {
            "POSTGRES_PASSWORD": password_in(self._password_file),
            "POSTGRES_INITDB_ARGS": "--locale=C.UTF-8 --encoding=UTF8",
        }

    def arguments(self) -> list[str]:
        """Server options."""
        return [
            "postgres",
            *(word for name, value in SMALL_MACHINE.items() for word in ("-c", f"{name}={value}")),
        ]

    def fault(self) -> str | None:
        """None when the server lets us in."""
        return postgres_fault(self.address)
