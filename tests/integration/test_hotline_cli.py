"""A made-up vendor plugged into running services by one file, with the commands, the program and the kit of the guide."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.hotline import Folders, make_hotline
from deploy.local.state import StateFolder
from tests.support.guide import ROOT, VENDOR, blocks, commands, program
from tests.support.installation import Installation, installed
from tests.support.logs import Commands
from tests.support.servers import Servers
from tests.support.waiting import eventually

KIT = ROOT / "deploy/hotline/kit/check_hotline.py"
EVENTS = ("vx-000918", "vx-000919", "vx-000920")
SIGNED_TIME = {
    "scheme": "hmac",
    "header": "X-Vox",
    "prefix": "v0=",
    "content": "v0:{timestamp}:{body}",
    "timestamp_header": "X-At",
}
PAYLOADS = ("call.json", "ticket.json", "tally.json")
UNLIMITED = {"MOTCUA_HOTLINE_UNPROVEN_PER_MINUTE": "1000000", "MOTCUA_HOTLINE_UNPROVEN_TOTAL_PER_MINUTE": "1000000"}
HALF_AN_HOUR = 1800
SAMPLED = "24/11/2026"
"""The day of the samples, for which a vendor writes one of this week."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The integrator's folder, with the samples in it and the stack's state folder."""

    city: Installation
    folder: Path
    folders: Folders

    async def run(self, *words: str, **more: str) -> tuple[int, str, str]:
        """Run a command as it is written in the guide; its status and what it said."""
        given = {"motcua": [sys.executable, "-m", "deploy.cli.main"], "python3": [sys.executable, "-I"]}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")}
        environment |= {"PYTHONPATH": str(ROOT), "MOTCUA_STATE_DIR": str(self.folder / ".motcua"), **more}
        process = await asyncio.create_subprocess_exec(
            *given.get(words[0], [words[0]]), *words[1:], cwd=self.folder, env=environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, out.decode(), error.decode()

    async def told(self, *words: str) -> dict[str, Any]:
        """What `motcua hotline …` prints as JSON."""
        _, out, error = await self.run("motcua", "hotline", *words, "--json")
        assert out, error
        document: dict[str, Any] = json.loads(out)
        return document

    def url(self, source: str) -> str:
        """A source's webhook."""
        return self.city.url("intake", f"/v1/hotline/{source}")

    async def plugged_in(self, source: str) -> None:
        """Wait until intake asks who is calling instead of saying that there is no such source."""

        async def asked() -> bool:
            return (await self.city.http.post(self.url(source), content=b"{}")).status_code in {400, 401}

        await eventually(f"{source} is plugged in", asked, within=10, every=0.2)

    async def plug_in(self, source: str, **changes: Any) -> None:
        """The vendor's mapping under another name, with some keys changed."""
        mapping = yaml.safe_load((VENDOR / "voxsaigon.yaml").read_text(encoding="utf-8"))
        text = yaml.safe_dump(mapping | {"source": source, **changes}, allow_unicode=True)
        (self.folders.mappings / f"{source}.yaml").write_text(text, encoding="utf-8")
        assert (await self.run("motcua", "hotline", "secret", source))[0] == 0
        await self.plugged_in(source)

    def sample(self, name: str, **envelope: Any) -> Path:
        """A copy of a sample with other values in its envelope."""
        document = json.loads((self.folder / name).read_text(encoding="utf-8"))
        document["envelope"] |= envelope
        path = self.folder / f"{document['envelope']['msgid']}.json"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return path


@pytest.fixture(scope="module")
async def desk(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("integrator")
    state = StateFolder(folder / ".motcua")
    folders = Folders.of(state, {})
    folders.make()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for name in PAYLOADS:
        sample = (VENDOR / name).read_text(encoding="utf-8").replace(SAMPLED, f"{yesterday:%d/%m/%Y}")
        (folder / name).write_text(sample, encoding="utf-8")
    async with installed(
        servers, tmp_path_factory.mktemp("city"), "intake", "processing", extra=folders.environment | UNLIMITED
    ) as city:  # fmt: skip
        Commands.of(city, folder / ".motcua")
        yield Desk(city, folder, folders)


async def test_a_vendor_nobody_has_seen_is_plugged_in_by_the_commands_of_the_guide(desk: Desk) -> None:
    """Word by word; only the draft is replaced by the finished mapping of the guide, which a person writes."""
    began = time.monotonic()
    mapping = desk.folder / "voxsaigon.yaml"
    finished = next(each.text for each in blocks() if each.language == "yaml")
    for words in commands():
        status, out, error = await desk.run(*words)
        assert status == 0, f"{' '.join(words)}: {out}{error}"
        if words[2] == "new":
            assert (await desk.run("motcua", "hotline", "check", mapping.name, *PAYLOADS))[0] == 1
            mapping.write_text(finished, encoding="utf-8")
        if words[2] == "secret":
            await desk.plugged_in("voxsaigon")
    assert time.monotonic() - began < HALF_AN_HOUR
    assert [path.name for path in desk.folders.mappings.iterdir()] == [mapping.name]

    logged = (await desk.told("log", "voxsaigon"))["items"]
    assert {each["event_id"]: each["outcome"] for each in logged} == dict.fromkeys(
        ("vx-000918", "vx-000919", "vx-000920"), "accepted"
    )
    case_id = next(each["case_id"] for each in logged if each["event_id"] == "vx-000919")
    again = await desk.told("send", "voxsaigon", "ticket.json", "--sign")
    assert again["answers"][0]["results"] == [{"event_id": "vx-000919", "outcome": "duplicate", "case_id": case_id}]

    async def known() -> bool:
        return bool((await desk.city.get("processing", "/v1/cases", agency="so-demo", kind="feedback"))["items"])

    await eventually("the ticket is a case of processing", known)
    cases = (await desk.city.get("processing", "/v1/cases", agency="so-demo", kind="feedback"))["items"]
    assert [case["case_id"] for case in cases] == [case_id]
    print(f"plugged in after {time.monotonic() - began:.1f} s of commands")


@pytest.mark.parametrize(
    ("source", "authentication"),
    [
        ("kit-standard", {"scheme": "standard_webhooks"}),
        ("kit-hmac", SIGNED_TIME),
        ("kit-bearer", {"scheme": "bearer"}),
        ("kit-basic", {"scheme": "basic"}),
    ],
)
async def test_the_kit_passes_with_the_secret_and_fails_with_another(
    desk: Desk, source: str, authentication: dict[str, str]
) -> None:
    await desk.plug_in(source, authentication=authentication)
    samples = [
        str(desk.sample(name, msgid=f"{source}-{number}", counter=number)) for number, name in enumerate(PAYLOADS, 1)
    ]  # fmt: skip
    (secret,) = desk.folders.secrets_of(source)
    options = [word for name, value in authentication.items() for word in (f"--{name.replace('_', '-')}", value)]
    words = ["python3", str(KIT), "--url", desk.url(source), *options]
    status, out, error = await desk.run(*words, *samples, HOTLINE_SECRET=secret)
    assert (status, error) == (0, ""), out
    stored = (await desk.told("log", source, "--outcome", "accepted"))["items"]
    assert sorted(each["event_id"] for each in stored) == [f"{source}-{number}" for number in (1, 2, 3)]
    status, out, _ = await desk.run(*words, "--no-store", samples[0], HOTLINE_SECRET=secret[:-6] + "AAAAA=")
    assert status == 1
    assert "dry run understands: expected 200, got 401" in out


async def test_the_guides_program_is_let_in_by_intake(desk: Desk) -> None:
    await desk.plug_in("by-curl")
    (desk.folder / "send.sh").write_text(program("bash"), encoding="utf-8")
    (secret,) = desk.folders.secrets_of("by-curl")
    sample = desk.sample("call.json", msgid="curl-1")
    status, out, error = await desk.run("bash", "send.sh", sample.name, URL=desk.url("by-curl"), SECRET=secret)
    assert status == 0, out + error
    assert json.loads(out)["results"] == [{"event_id": "curl-1", "outcome": "accepted"}]


async def test_a_refused_event_is_in_the_log_by_field_and_rule_and_is_taken_once_the_mapping_is_mended(desk: Desk) -> None:
    finished = yaml.safe_load((VENDOR / "voxsaigon.yaml").read_text(encoding="utf-8"))
    narrow = {word: kind for word, kind in finished["kind"]["table"].items() if word != "CALL"}
    await desk.plug_in("mended", kind=finished["kind"] | {"table": narrow}, call=None)
    sample = desk.sample("call.json", msgid="late-1")
    status, out, _ = await desk.run("motcua", "hotline", "send", "mended", sample.name, "--sign")
    assert status == 1
    assert "envelope.kind: unknown_word" in out
    status, out, error = await desk.run("motcua", "hotline", "log", "mended")
    assert (status, error) == (0, ""), out
    assert out.splitlines()[1].split()[2:] == ["webhook", "refused", "late-1", "envelope.kind:", "unknown_word"]
    assert (await desk.run("motcua", "hotline", "replay", "mended"))[0] == 1
    await desk.plug_in("mended")

    async def taken() -> bool:
        return (await desk.run("motcua", "hotline", "replay", "mended"))[:2] == (0, "tried again: 1 accepted\n")

    await eventually("the payload is taken under the mended mapping", taken, within=10)
    assert [each["outcome"] for each in (await desk.told("log", "mended", "--outcome", "accepted"))["items"]] == ["accepted"]


async def test_every_shipped_source_is_let_in_with_the_secret_that_the_stack_made(desk: Desk) -> None:
    state = StateFolder(desk.folder / ".motcua")
    made = make_hotline(state)
    assert made == desk.folders
    for source in ("stringee", "twilio", "asterisk", "ticket-1022", "normalised"):
        await desk.plugged_in(source)
        told = await desk.told("send", source, "call.json", "--sign", "--dry-run")
        assert not {answer["status"] for answer in told["answers"]} & {401, 404}, f"{source} is not proven"
