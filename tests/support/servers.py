"""A private Kafka and PostgreSQL for the tests, found the way the local stack finds them; own ports, own folder."""

from __future__ import annotations

import base64
import json
import secrets
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
