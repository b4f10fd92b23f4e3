"""PostgreSQL from server binaries of this machine, run by an unprivileged user."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local import ports
from deploy.local.errors import StackError
from deploy.local.postgres.binaries import Binaries, find_binaries
from deploy.local.postgres.given import postgres_fault
from deploy.local.process import Launch, can_reach, last_lines, unprivileged_user
from deploy.local.server import Server, quiet
from deploy.local.state import write_private

if TYPE_CHECKING:
    from deploy.local.server import Say

SMALL_MACHINE = {"shared_buffers": "128MB", "max_connections": "200", "max_wal_size": "1GB"}
OUTSIDE = Path("/var/tmp")  # noqa: S108 - the folder made there is of mode 0700 and named by a hash
_INITDB_SECONDS = 120


def url_of(port: int, password: str) -> str:
    """The address of a server of the stack."""
    return f"postgresql://postgres:{password}@{ports.HOST}:{port}/postgres"


def password_in(file: Path) -> str:
    """The superuser's password, made the first time and kept in a file of mode 0600."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text().strip()


class LocalPostgres(Server):
    """A server whose content lies in `folder`, or under /var/tmp when its unprivileged user cannot reach the folder."""

    name = "postgres"
    kind = "local"

    def __init__(
        self, folder: Path, *, port: int | None = None, log: Path | None = None, password_file: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.port = port or ports.take_port()
        self._log = log or folder / "postgres.log"
        self._password_file = password_file or folder / "password"
        self._settings = {**SMALL_MACHINE, **(settings or {})}
        self._user = unprivileged_user()
        self.folder = folder if can_reach(folder / "data", self._user) else self._outside(folder)

    @property
    def address(self) -> str:
        """The server's URL with its password."""
        return url_of(self.port, password_in(self._password_file))

    url = address

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.folder / "data"

    def prepare(self, say: Say = quiet) -> None:
        """Make the cluster, once; an attempt that was cut short leaves nothing that counts."""
        binaries = self._binaries()
        if (self.data / "PG_VERSION").is_file():
            return
        say(f"making a PostgreSQL {binaries.major} cluster")
        self._make_folder()
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._initdb(binaries, draft)
        draft.rename(self.data)

    def launch(self) -> Launch:
        """The server's process; SIGINT is its fast shutdown."""
        settings = {
            **self._settings, "listen_addresses": ports.HOST, "port": str(self.port), "unix_socket_directories": "",
        }  # fmt: skip
        options = [f"--{name}={value}" for name, value in settings.items()]
        return Launch(
            argv=[str(self._binaries().folder / "postgres"), "-D", str(self.data), *options],
            log=self._log,
            folder=self.folder,
            user=self._user,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            grace_seconds=30,
        )

    def fault(self) -> str | None:
        """None when the server lets us in."""
        return postgres_fault(self.address)

    def forget(self) -> None:
        """Remove the cluster, wherever it lies."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _outside(folder: Path) -> Path:
        return OUTSIDE / f"motcua-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]}"

    def _binaries(self) -> Binaries:
        version = self.data / "PG_VERSION"
        return find_binaries(self._user, major=int(version.read_text()) if version.is_file() else None)

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.folder.is_symlink() or self.folder.stat().st_uid not in {
            os.geteuid(),
            self._user.uid if self._user else -1,
        }:
            raise StackError(f"{self.folder} belongs to somebody else: remove it or set MOTCUA_STATE_DIR")
        if self._user is not None:
            os.chown(self.folder, self._user.uid, self._user.gid)
        self.folder.chmod(0o711)

    def _initdb(self, binaries: Binaries, target: Path) -> None:
        password = self.folder / "initial-password"
        write_private(password, password_in(self._password_file))
        if self._user is not None:
            os.chown(password, self._user.uid, self._user.gid)
        argv = [
            str(binaries.folder / "initdb"), "-D", str(target), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
            "--auth=scram-sha-256", f"--pwfile={password}",
        ]  # fmt: skip
        log = self._log.with_name("initdb.log")
        process = Launch(argv=argv, log=log, folder=self.folder, user=self._user).popen()
        try:
            failed = process.wait(_INITDB_SECONDS) != 0
        except subprocess.TimeoutExpired:
            process.kill()
            failed = True
        password.unlink()
        if failed:
            raise StackError(" | ".join([f"PostgreSQL's cluster could not be made in {self.folder}", *last_lines(log)]))
