"""A call centre of the tests: mapping and secrets in folders, payloads signed as it signs them, and what it is answered."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.clock import real_time
from shared.contracts.model import Contract
from shared.contracts.topics import CASE_COMMANDS, HOTLINE_EVENTS, HOTLINE_RECEIPTS
from shared.hotline.authentication import StandardWebhooks
from shared.hotline.signing import sign
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.intake import AGENCY, Office, open_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

SOURCE, OTHER, NORMALISED = "trial", "another", "own-contract"
AUTHENTICATION = StandardWebhooks(scheme="standard_webhooks")
MAPPING = """
source: {source}
title: {{vi: "Tổng đài thử", en: "A call centre of the tests"}}
agency: {agency}
authentication: {{scheme: standard_webhooks}}
events: events || [@]
id: id
time: at
sequence: {{expression: seq}}
kind:
  expression: kind
  table: {{call: call, ticket: ticket, reopened: reopened, rated: rated, dossier: dossier, noise: {{nothing: not_needed}}}}
call: {{call_id: call, state: state, dossier_code: code}}
ticket:
  ticket_id: ticket
  content: text
  classification: {{expression: class, default: other}}
  same_matter: place
  matter: matter
  caller: {{name: name, phone: phone}}
  dossier_code: code
reopened: {{ticket_id: ticket}}
rated: {{ticket_id: ticket, score: {score}}}
dossier: {{dossier_code: code, ticket_id: ticket, call_id: call}}
expected_silence: {{otherwise_minutes: 60}}
"""
AS_IT_IS = """
source: own-contract
title: {vi: "Tổng đài chuẩn", en: "Sends our contract"}
agency: ldtbxh-haiphong
authentication: {scheme: standard_webhooks}
shape: normalised
expected_silence: {otherwise_minutes: 60}
"""
MANY = 100_000
"""Unproven webhooks a minute: tests send them from one address, again and again."""
C = TypeVar("C", bound=Contract)


def make_secret() -> str:
    """A new secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def mapping(source: str = SOURCE, agency: str = AGENCY, score: str = "score") -> str:
    """The text of the mapping."""
    return MAPPING.format(source=source, agency=agency, score=score)


def event(kind: str = "ticket", **more: Any) -> dict[str, Any]:
    """A payload with an id of its own, that happened now."""
    given = {"id": uuid4().hex, "kind": kind, "at": datetime.now(UTC).isoformat(), **more}
    if kind == "ticket":
        given = {
            "ticket": f"t-{uuid4().hex[:12]}",
            "text": "Đèn đường hỏng",
            "name": "Trần Thị Thử",
            "phone": "0900000000",
        } | given
    return given


def written(payload: Any) -> bytes:
    """A payload as it is sent."""
    return json.dumps(payload, ensure_ascii=False).encode()


@dataclass(slots=True)
class Folders:
    """The operator's two folders."""

    folder: Path
    live: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """What intake is told of them."""
        return {"hotline_dir": self.folder / "mappings", "hotline_secrets_dir": self.folder / "secrets"}

    def add(self, source: str = SOURCE, text: str | None = None) -> None:
        """Put a mapping and a new secret there."""
        for path in self.settings.values():
            path.mkdir(parents=True, exist_ok=True)
        self.live[source] = make_secret()
        (self.folder / "mappings" / f"{source}.yaml").write_text(text or mapping(source), encoding="utf-8")
        (self.folder / "secrets" / source).write_text(self.live[source] + "\n", encoding="utf-8")


@dataclass(slots=True)
class Switchboard:
    """The call centre, and the integrator who looks after it."""

    office: Office
    folders: Folders
    listener: AIOKafkaConsumer
    http: httpx.AsyncClient
    heard: list[ConsumerRecord] = field(default_factory=list)

    def signed(self, body: bytes, source: str = SOURCE, message_id: str = "", ago: float = 0.0) -> dict[str, str]:
        """The headers of a body that was signed so many seconds ago."""
        at = real_time() - timedelta(seconds=ago)
        return sign(AUTHENTICATION, self.folders.live[source], body, message_id or uuid4().hex, at)

    async def post(self, payload: Any, source: str = SOURCE, **params: Any) -> httpx.Response:
        """Send a payload as the vendor does."""
        body = written(payload)
        return await self.http.post(f"/v1/hotline/{source}", content=body, headers=self.signed(body, source), params=params)

    async def take(self, payload: Any, source: str = SOURCE) -> list[dict[str, Any]]:
        """The results of a payload that is answered with 200."""
        answer = await self.post(payload, source)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    async def produce(self, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> None:
        """Send a record to the topic."""
        name = f"{self.office.settings.topic_prefix}{HOTLINE_EVENTS.name}"
        await self.office.producer.send_and_wait(name, value, key=b"k", headers=headers)

    async def log(self, source: str = SOURCE, **params: Any) -> dict[str, Any]:
        """A page of the log, as an integrator of the agency."""
        async with self.office.client(Role.INTEGRATOR) as client:
            answer = await client.get(f"/v1/hotline/{source}/log", params=params)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    async def replay(self, source: str = SOURCE) -> list[dict[str, Any]]:
        """Try what was refused again; what became of it."""
        results: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        async with self.office.client(Role.INTEGRATOR) as client:
            while not page or page["next"] is not None:
                cursor = {"cursor": page["next"]} if page else {}
                answer = await client.post(f"/v1/hotline/{source}/replay", params=cursor)
                assert answer.status_code == 200, answer.text
                page = answer.json()
                results += page["results"]
        return results

    async def told(self, model: type[C], key: str, count: int) -> list[C]:
        """The bodies of `count` records of a type whose key begins so, in the order of their arrival."""

        async def look() -> list[C]:
            for records in (await self.listener.getmany(timeout_ms=100)).values():
                self.heard += records
            found = [
                model.model_validate_json(record.value)
                for record in self.heard
                if dict(record.headers)["ce_type"].decode() == model.type and record.key.decode().startswith(key)
            ]
            return found if len(found) >= count else []

        return await eventually(f"{count} records {model.type} of {key}", look)

    async def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of intake's database; also runs what changes them."""
        async with self.office.app.state.runtime.database.transaction() as tx:
            return list(await tx.driver.fetch(statement, *arguments))

    def valid(self, name: str) -> float | None:
        """What the process says of a file."""
        value: float | None = self.office.app.state.runtime.registry.get_sample_value("motcua_config_valid", {"name": name})
        return value


@contextlib.asynccontextmanager
async def open_switchboard(office: Office, folders: Folders) -> AsyncIterator[Switchboard]:
    """Listen to what the call centre is answered, and to what is asked of processing."""
    topics = [f"{office.settings.topic_prefix}{topic.name}" for topic in (CASE_COMMANDS, HOTLINE_RECEIPTS)]
    listener = AIOKafkaConsumer(*topics, bootstrap_servers=office.settings.kafka_bootstrap, auto_offset_reset="earliest")
    await listener.start()
    try:
        async with office.client(None) as http:
            yield Switchboard(office, folders, listener, http)
    finally:
        await listener.stop()


@contextlib.asynccontextmanager
async def open_board(servers: Servers, folder: Path) -> AsyncIterator[Switchboard]:
    """Intake with three sources: one of its agency, one of another's, and one that sends our own contract."""
    folders = Folders(folder / "hotline")
    folders.add()
    folders.add(OTHER, mapping(OTHER, "other-agency"))
    folders.add(NORMALISED, AS_IT_IS)
    settings = {**folders.settings, "hotline_unproven_per_minute": MANY, "hotline_unproven_total_per_minute": MANY}
    async with open_office(servers, folder, **settings) as office, open_switchboard(office, folders) as opened:
        yield opened


def keys_of(office: Office) -> KeyRing:
    """The master keys of an installation."""
    return KeyRing.from_file(office.keys.folder / "key")
