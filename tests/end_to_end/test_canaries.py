"""Distinct words are planted in every personal field and free text, sent on every way, and looked for everywhere.

The outlets are excepted: a mail has its address, as it must. After `motcua erase` nothing can be opened with any master key,
within the bound that the topic promises.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller

from deploy.local.environment import save_environment
from deploy.local.keys import PRIVATE_TOKEN_KEY
from deploy.local.ports import take_port
from deploy.local.state import StateFolder
from services.intake.domain.people import Applicant, Representative
from services.intake.domain.submission import Submission
from shared.contracts.topics import CASE_COMMANDS
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.canaries import forms, hits, opened, places_of, read_records, read_tables
from tests.support.installation import SERVICES, installed
from tests.support.servers import Servers
from tests.support.town import PURPOSE, FullMailbox, Town, plant_bad_requests, plant_good_filings, put, put_commands
from tests.support.waiting import eventually

BOUND, CLEANING = "4", 120.0
"""The bound in seconds; the broker's cleaner rests 15 s between its rounds."""
NOT_PERSONAL = {
    "agency", "kind", "procedure", "channel", "documents", "return_channel", "filed_at", "origin", "counter", "officer",
    "online_level", "handed_over_at", "postal_record", "pre_intake_id", "matter",
}  # fmt: skip


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[FullMailbox, int]]:
    box, port = FullMailbox(), take_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture(scope="module")
async def town(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[FullMailbox, int]
) -> AsyncIterator[Town]:
    """Four services with two master keys."""
    folder = tmp_path_factory.mktemp("town")
    extra = {
        "MOTCUA_SMTP_URL": f"smtp://127.0.0.1:{mailbox[1]}", "MOTCUA_SMTP_FROM": "motcua@example.vn",
        "MOTCUA_ERASURE_SECONDS": BOUND, "MOTCUA_PRIVATE_KEY_FILE": str(folder / "two-keys"),
    }  # fmt: skip
    keys = "".join(base64.b64encode(secrets.token_bytes(32)).decode() + "\n" for _ in range(2))
    (folder / "two-keys").write_text(keys)
    async with installed(servers, folder, extra=extra) as city:
        state = StateFolder(folder / "state")
        state.create()
        save_environment(
            state, city.environment | {f"MOTCUA_{name.upper()}_PORT": str(port) for name, port in city.ports.items()}
        )
        shutil.copy(city.keys.folder / "private.json", state.keys / PRIVATE_TOKEN_KEY)
        yield Town(city, servers, mailbox[0])


def test_every_field_is_personal_or_is_not() -> None:
    """A new field must be planted here, or be named as one that tells nothing of a person."""
    planted = {"applicant", "portal_account", "representative", "note", "return_address", "return_email", "return_account"}
    assert set(Submission.model_fields) == NOT_PERSONAL | planted
    assert set(Applicant.model_fields) == {"name", "email", "phone", "id_number", "address", "language"}
    assert set(Representative.model_fields) == {"name", "document", "phone", "email"}


def test_a_word_is_found_in_every_form() -> None:
    word = "Chim Hoàng Yến 0123"
    for before in ("", "x", "xy", "xyz"):
        whole = f"{before}{word}{before}".encode()
        for content in (whole, whole.hex().encode(), base64.b64encode(whole), json.dumps(whole.decode()).encode()):
            assert any(form in content for form in forms(word)), content
    assert hits({"w": word}, [("here", b"Chim Ho\xc3\xa0ng Y\xe1\xba\xbfn 0124")]) == []


async def test_no_planted_word_is_anywhere_and_after_an_erasure_nothing_opens(town: Town) -> None:
    await plant_good_filings(town)
    await plant_bad_requests(town)
    await _live(town)
    await _poison(town)
    records = await read_records(town.city)
    assert hits(town.canaries.planted, await _everything(town, records)) == []
    await _is_kept_sealed(town)

    kept = await town.file(channel="counter", applicant=town.person("kept"))
    ring = KeyRing.from_file(Path(town.city.environment["MOTCUA_PRIVATE_KEY_FILE"]))
    erased = [case_id for case_id in town.cases if case_id != kept]
    assert len(erased) >= 5
    contents = [record.value or b"" for record in records] + (await read_tables(town.city))[1]
    assert opened(ring, erased, contents) > 2 * len(erased)

    await _erase(town, erased)
    await _is_proven(town, erased)
    records, (tables, octets) = await read_records(town.city), await read_tables(town.city)
    contents = [record.value or b"" for record in records] + octets
    assert opened(ring, erased, contents) == 0
    assert opened(ring, [kept], contents) > 0
    assert hits(town.canaries.planted, [*await _everything(town, records), *tables]) == []
    assert (await town.motcua("erase", kept, "--check"))[0] == 1


async def _live(town: Town) -> None:
    """Acceptance, a supplement, refused commands, with an officer's words beside each; mail that nobody takes."""
    made, supplement = town.canaries, {"type": "request_supplement", "documents": ["contracts"], "reason": "missing_documents"}
    for case_id in town.cases:
        first, second = town.notes.setdefault(case_id, [made.text("officer's note"), made.text("officer's second note")])

        async def accepted(case_id: str = case_id, note: str = first) -> bool:
            answer = await town.command(case_id, type="accept", unit="one-stop", note=note)
            return bool(answer.status_code == 200)

        await eventually("processing accepts the case", accepted)
        assert (await town.command(case_id, **supplement, note=second)).status_code == 200
        illegal = await town.command(case_id, type="resume", reason="x", note=made.text("note of a refused command"))
        assert illegal.status_code == 409
        assert (await town.command(case_id, type="receive_supplement")).status_code == 200
        wrong = {"note": made.text("too long") + "x" * 4000}, {"note": [made.text("list")]}, {"text": made.text("no field")}
        for bad in wrong:
            assert (await town.command(case_id, type="receive_supplement", **bad)).status_code == 422
        half = ('{"type": "accept", "note": "' + made.text("half of a command")).encode()
        raw = await town.send("processing", f"/v1/cases/{case_id}/commands", Role.OFFICER, content=half)
        assert raw.status_code == 422

    async def tried() -> bool:
        lines = outlet_of(town).read_text(encoding="utf-8")
        mailed = [case_id for case_id, body in town.cases.items() if "email" in body["applicant"]]
        return len(set(town.mailbox.refused)) >= len(mailed) < len(town.cases) and "case.accepted" in lines

    await eventually("mail to every applicant is refused, and who has no address is told by file", tried)


def outlet_of(town: Town) -> Path:
    """The file channel's file: what it holds stays after an erasure, and tells of a case and of nobody."""
    return town.city.folder / "messages.ndjson"


async def _poison(town: Town) -> None:
    """A sealed contact with a wrong octet, and one under another case's key: both are parked, and their places copied.

    So are commands with free text that officers' systems put on Kafka.
    """
    first, second, *_ = town.cases
    ((sealed,),) = await town.city.query("intake", "select ciphertext from applicants where case_id = $1", UUID(first))
    await put(town, first, sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    await put(town, second, sealed)
    commands = await put_commands(town, first)

    async def parked() -> bool:
        rows = await town.city.query("notification", "select 1 from parked where topic = 'case-private' and payload is not null")
        unread = await town.city.query("processing", "select 1 from parked where topic = 'case-commands' and payload is null")
        return (len(rows), len(unread)) == (2, commands)

    await eventually("all are parked", parked)


async def _everything(town: Town, records: list[Any]) -> list[tuple[str, bytes]]:
    """Topics, tables, logs, series, what anybody may ask, and the file of messages, which has no address and no name."""
    city = town.city
    strangers = (
        f"{city.run}-{CASE_COMMANDS.name}"  # what others wrote themselves stays there for two weeks; we write nothing there
    )
    places = [*places_of(each for each in records if each.topic != strangers), *(await read_tables(city))[0]]
    logs = [city.log_of(name) for name in SERVICES]
    if town.servers.folder != Path():  # our own servers: their logs as well
        logs += [path for path in town.servers.folder.rglob("*.log") if "data" not in path.parts]
    places += [(str(path), path.read_bytes()) for path in logs]
    asked = [(name, path) for name in SERVICES for path in ("/metrics", "/health/ready", "/openapi.json", "/asyncapi.json")]
    asked += [("intake", f"/v1/cases/{case_id}/status") for case_id in town.cases]
    codes = await city.query("processing", "select code from cases where code is not null")
    asked += [("intake", f"/v1/cases/by-code/{code}/status") for (code,) in codes]
    asked += [("intake", f"/v1/{name}") for name in ("procedures", "matters", "reasons")]
    places += [(f"{name}{path}", (await city.http.get(city.url(name, path))).content) for name, path in asked]
    assert len(records) > 10 * len(town.cases)
    return [*places, ("file of messages", outlet_of(town).read_bytes())]


async def _is_kept_sealed(town: Town) -> None:
    """The words were really there: who may see them is shown every one."""
    for case_id, body in town.cases.items():
        shown = (await town.send("intake", f"/v1/cases/{case_id}/applicant", Role.OFFICER, "GET", params=PURPOSE)).json()
        assert shown["note"] == body.get("note")
        assert body["applicant"].items() <= shown["people"]["applicant"].items()
        notes = (await town.send("processing", f"/v1/cases/{case_id}/notes", Role.OFFICER, "GET", params=PURPOSE)).json()
        assert [each["text"] for each in notes["items"]] == town.notes[case_id]


async def _erase(town: Town, case_ids: list[str]) -> None:
    for case_id in case_ids:
        status, said = await town.motcua("erase", case_id)
        assert (status, said["erased"]) == (0, True), said
        gone = await town.send("intake", f"/v1/cases/{case_id}/applicant", Role.OFFICER, "GET", params=PURPOSE)
        assert gone.status_code == 404
        note = town.canaries.text("note after the erasure")
        late = await town.command(case_id, type="complete_step", step="examine", note=note)
        assert (late.status_code, late.json()["type"]) == (409, "urn:motcua:problem:erased")
    open_mail = "select case_id from ledger where status in ('waiting', 'pending') and channel = 'email'"
    assert {str(row[0]) for row in await town.city.query("notification", open_mail)}.isdisjoint(case_ids)


async def _is_proven(town: Town, case_ids: list[str]) -> None:
    for case_id in case_ids:

        async def clean(case_id: str = case_id) -> bool:
            status, said = await town.motcua("erase", case_id, "--check")
            assert (status == 0) == said["clean"] == (not said["values"])
            return status == 0

        await eventually("nothing of the case is on the topic", clean, within=CLEANING, every=2.0)
