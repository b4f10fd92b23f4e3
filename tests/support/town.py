"""A town whose every personal field holds a planted word: the services, and what is sent to them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.contracts.envelope import OCTETS, Envelope, Headers
from shared.contracts.topics import CASE_COMMANDS, CASE_PRIVATE, Topic
from shared.contracts.words import Origin
from shared.messaging.kafka import make_producer
from shared.security.key_file import derived, read_key_file
from shared.security.tokens import Role
from tests.support.canaries import Canaries
from tests.support.installation import ROOT, SERVICES, Installation
from tests.support.servers import Servers

AGENCY = "so-test"
PURPOSE = {"purpose": "handle_case"}


class FullMailbox:
    """An SMTP server that has no room, and says for whom."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    async def handle_RCPT(self, _server: Any, _session: Any, _envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.refused.append(address)
        return f"451 4.2.2 the mailbox of {address} is full"


@dataclass(slots=True)
class Town:
    """The services, what was planted, and the cases it was planted in."""

    city: Installation
    servers: Servers
    mailbox: FullMailbox
    canaries: Canaries = field(default_factory=Canaries)
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    async def send(self, service: str, path: str, role: Role = Role.COUNTER, method: str = "POST", **content: Any) -> Any:
        headers = self.city.headers(role, AGENCY) | content.pop("headers", {})
        return await self.city.http.request(method, self.city.url(service, path), headers=headers, **content)

    async def file(self, **body: Any) -> str:
        whole = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806"} | body
        answer = await self.send("intake", "/v1/cases", json=whole, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text
        case_id = str(answer.json()["case_id"])
        self.cases[case_id] = whole
        return case_id

    def person(self, where: str) -> dict[str, str]:
        """An applicant with a word in every field."""
        made = self.canaries
        return {
            "name": made.text(f"{where} name"), "email": made.email(f"{where} email"), "phone": made.phone(f"{where} phone"),
            "id_number": made.id_number(f"{where} id number"), "address": made.text(f"{where} address"),
        }  # fmt: skip

    def agent(self, where: str) -> dict[str, str]:
        """Who acts for an applicant."""
        made = self.canaries
        return {
            "name": made.text(f"{where} agent"), "document": "giay-uy-quyen", "phone": made.phone(f"{where} agent's phone"),
            "email": made.email(f"{where} agent's email"),
        }  # fmt: skip

    async def command(self, case_id: str, **body: Any) -> Any:
        return await self.send("processing", f"/v1/cases/{case_id}/commands", Role.OFFICER, json=body)

    async def motcua(self, *arguments: str) -> tuple[int, Any]:
        """Run the command as an operator of this installation: exit status, and its JSON."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy.cli.main", *arguments, "--json",
            cwd=ROOT, env={**os.environ, "MOTCUA_STATE_DIR": str(self.city.folder / "state")}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode or 0, json.loads(out)


async def plant_good_filings(town: Town) -> None:
    made, earlier = town.canaries, (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    await town.file(
        channel="counter", counter="quay-1", officer="cb-07", applicant=town.person("counter"),
        representative=town.agent("counter"), note=made.text("counter note"), return_channel="post",
        return_address=made.text("return address"),
    )  # fmt: skip
    await town.file(
        channel="online", online_level="full", portal_account=made.plain("portal account"), applicant=town.person("online"),
        note=made.text("online note"), return_channel="online", return_email=made.email("return email"),
        return_account=made.plain("return account"),
    )  # fmt: skip
    await town.file(
        channel="post", postal_record="VN123456789", handed_over_at=earlier, applicant=town.person("post"),
        representative=town.agent("post"), note=made.text("post note"),
    )  # fmt: skip
    by_file = town.person("without e-mail")  # its messages go to the file channel
    del by_file["email"]
    await town.file(channel="counter", applicant=by_file)
    line: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
    line |= {"idempotency_key": str(uuid4()), "applicant": town.person("bulk"), "note": made.text("bulk note")}
    bad = line | {"idempotency_key": str(uuid4()), "applicant": {"name": made.text("bulk bad"), "email": made.text("bulk mail")}}
    lines = [json.dumps(line), json.dumps(bad), '{"note": "' + made.text("bulk broken")]
    answer = await town.send("intake", "/v1/cases/bulk", content="\n".join(lines))
    (case_id,) = (each["case_id"] for each in map(json.loads, answer.text.splitlines()) if "case_id" in each)
    town.cases[case_id] = line
    await _plant_version_1(town)


async def _plant_version_1(town: Town) -> None:
    """A contact as it was sealed before there were data keys, under the older master key."""
    case_id = await town.file(channel="counter", applicant=town.person("version 1"))
    contact = {name: value for name, value in town.cases[case_id]["applicant"].items() if name in {"name", "email", "phone"}}
    (_, older), nonce = read_key_file(Path(town.city.environment["MOTCUA_PRIVATE_KEY_FILE"])).keys, os.urandom(12)
    sealed = AESGCM(derived(older, b"encrypt")).encrypt(nonce, json.dumps(contact).encode(), case_id.encode())
    await town.city.query(
        "intake", "update applicants set ciphertext = $2 where case_id = $1", UUID(case_id), b"\x01" + nonce + sealed
    )
    await put(town, case_id, b"\x01" + nonce + sealed)


def _wrong_bodies(made: Canaries) -> Iterator[Any]:
    """Wrong values, and fields that nobody knows."""
    good = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
    yield good | {"applicant": {"name": [made.text("name")], "email": made.text("email"), "phone": made.text("phone")}}
    yield good | {"applicant": {"id_number": made.plain("id"), "address": [made.text("address")]}, "note": {"x": made.text("x")}}
    yield good | {"applicant": made.text("applicant"), "officer": made.text("officer"), "counter": made.text("counter")}
    yield good | {"note": made.text("note") + "x" * 4000, "unknown_field": made.text("unknown"), made.plain("a name"): 1}
    yield good | {"procedure": made.text("procedure"), "documents": [made.text("document")], "agency": made.text("agency")}
    yield [made.text("list")]


async def plant_bad_requests(town: Town) -> None:
    """Whatever is refused: wrong values, unknown fields, no JSON, headers, addresses."""
    made, key = town.canaries, {"Idempotency-Key": str(uuid4())}
    for body in _wrong_bodies(made):
        for path in ("/v1/cases", "/v1/cases/pre-check"):
            assert (await town.send("intake", path, json=body, headers=key)).status_code == 422
    half = ('{"applicant": {"name": "' + made.text("half of a body")).encode()
    broken: list[bytes] = [half, half + b"\xff\xfe", half + b'", "name": "x"}}', b"[" * 900 + half]
    for raw in broken:
        assert (await town.send("intake", "/v1/cases", content=raw, headers=key)).status_code == 422
    for body in ({"phone": made.text("phone"), **PURPOSE}, {"email": made.email("mail"), "purpose": made.text("purpose")}):
        assert (await town.send("intake", "/v1/applicants/search", json=body)).status_code == 422
    found = await town.send("intake", "/v1/applicants/search", json={"phone": made.phone("search for nobody"), **PURPOSE})
    assert found.json() == {"items": []}
    word = made.plain("header")
    odd = {"X-Person": word, "User-Agent": word, "Referer": f"http://{word}", "Cookie": word, "Idempotency-Key": f"{word} {word}"}
    assert (await town.send("intake", "/v1/cases", json={}, headers=odd)).status_code == 422
    for service in SERVICES:
        headers = {"Authorization": f"Bearer {made.plain('token')}", "X-Forwarded-For": made.plain("forwarded")}
        url = town.city.url(service, f"/v1/cases/by-code/{made.plain('code')}/status")
        answer = await town.city.http.get(url, headers=headers, params={"q": made.plain("query")})
        assert answer.status_code in {401, 404}


async def put(town: Town, case_id: str, value: bytes) -> None:
    """Put a sealed contact on the private topic."""
    now = datetime.now(UTC)
    envelope = Envelope(str(uuid4()), "private.contact", "/intake", case_id, AGENCY, now, now, Origin.LIVE)
    await _produce(town, CASE_PRIVATE, f"{case_id}/contact", value, envelope.to_headers(OCTETS))


async def put_commands(town: Town, case_id: str) -> int:
    """Put commands with free text, where none may be, on their topic; how many."""
    made, now = town.canaries, datetime.now(UTC)
    bodies = [
        json.dumps({"step": "examine", "note": made.text("note on Kafka")}),
        json.dumps({"note": made.text("note without the rest")}),
        '{"step": "' + made.text("half of a command on Kafka"),
        json.dumps({"step": [made.text("a list on Kafka")]}),
        json.dumps({"step": "examine", "reason": made.text("no such field on Kafka")}),
    ]
    for number, body in enumerate([*bodies, json.dumps({"note": made.text("note under a bad header")})]):
        agency = AGENCY if number < len(bodies) else ""
        envelope = Envelope(str(uuid4()), "complete_step", "/desk", case_id, agency, now, now, Origin.LIVE)
        await _produce(town, CASE_COMMANDS, case_id, body.encode(), envelope.to_headers())
    return len(bodies) + 1


async def _produce(town: Town, topic: Topic, key: str, value: bytes, headers: Headers) -> None:
    producer = make_producer(town.city.kafka, "stranger")
    await producer.start()
    try:
        await producer.send_and_wait(f"{town.city.run}-{topic.name}", value, key=key.encode(), headers=headers)
    finally:
        await producer.stop()
