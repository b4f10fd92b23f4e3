"""A private Kafka and PostgreSQL for the tests, found the way the local stack finds them; own ports, own folder."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from joserfc.jwk import OKPKey

from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres
from shared.security.tokens import Role, sign

FAST_POSTGRES = {"fsync": "on", "max_connections": "300"}


@dataclass(slots=True)
class Servers:
    """The two servers of a test run, and where their content lies."""

    folder: Path
    kafka: LocalKafka = field(init=False)
    postgres: LocalPostgres = field(init=False)

    def __post_init__(self) -> None:
        self.kafka = LocalKafka(self.folder / "kafka")
        self.postgres = LocalPostgres(self.folder / "postgres", settings=FAST_POSTGRES)

    def start(self) -> Servers:
        """Start both and wait until they answer."""
        self.postgres.start()
        self.kafka.start()
        return self

    def stop(self) -> None:
        """Stop both, and remove what lies outside the folder."""
        self.kafka.stop()
        self.postgres.stop()
        self.postgres.forget()


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one installation."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Keys:
        """New keys in this folder."""
        folder.mkdir(parents=True, exist_ok=True)
        pair = OKPKey.generate_key("Ed25519")
        (folder / "private.json").write_text(json.dumps(pair.as_dict(private=True)))
        (folder / "public.json").write_text(json.dumps(pair.as_dict(private=False)))
        (folder / "key").write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        return cls(folder)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name the keys."""
        return {
            "MOTCUA_TOKEN_PUBLIC_KEY_FILE": str(self.folder / "public.json"),
            "MOTCUA_PRIVATE_KEY_FILE": str(self.folder / "key"),
        }

    def token(self, role: Role = Role.ADMIN, agency: str | None = None) -> str:
        """A bearer token for ten minutes."""
        return sign(self.folder / "private.json", role, agency, None, 600, f"test-{role}")


def family(pid: int) -> list[int]:
    """A process and its children: PostgreSQL's backends are sessions of their own, which a signal to the group misses."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and its children (SIGSTOP), and let them go on at the end."""
    stopped = family(pid)
    for each in stopped:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)
