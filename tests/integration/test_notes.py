"""Officers' free text at processing: sealed, shown with a reason, published on the private topic only, erased with its case."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from deploy.erasure.topic import Found, read_case
from deploy.local.keys import add_master_key
from shared.contracts.envelope import OCTETS, Envelope
from shared.contracts.topics import CASE_PRIVATE
from shared.contracts.words import Origin
from shared.security.tokens import Role
from tests.support.office import AGENCY, Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

TEXT = "Người nộp nói con bị bệnh tim,\nxin trả kết quả sớm"
PURPOSE = {"purpose": "handle_case"}


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path_factory.mktemp("notes")) as running:
        yield running


async def ask(
    office: Office, case_id: UUID, key: str | None = None, role: Role = Role.OFFICER, agency: str = AGENCY, **body: Any
) -> httpx.Response:
    async with office.client(role, agency) as http:
        headers = {"Idempotency-Key": key} if key else {}
        return await http.post(f"/v1/cases/{case_id}/commands", headers=headers, json=body)


async def notes(office: Office, case_id: UUID, role: Role = Role.OFFICER, agency: str = AGENCY, **params: str) -> httpx.Response:
    async with office.client(role, agency) as http:
        return await http.get(f"/v1/cases/{case_id}/notes", params=PURPOSE | params)


async def accepted(office: Office, **body: Any) -> UUID:
    """A case that was accepted by a command with these members."""
    case_id = uuid4()
    await office.submit(case_id)

    async def known() -> bool:
        return (await ask(office, case_id, type="accept", **body)).status_code == 200

    await eventually("the case is accepted", known)
    return case_id


async def published(office: Office, case_id: UUID, values: int, tombstones: int) -> Found:
    async def look() -> Found:
        found = await read_case(office.settings, case_id)
        if (len(found.values), found.tombstones) != (values, tombstones):
            raise LookupError(found)
        return found

    return await eventually(f"{values} values and {tombstones} tombstones on the topic", look)


async def erased(office: Office, case_id: UUID) -> None:
    """Say what intake says when the people of a case are erased."""
    now = datetime.now(UTC)
    envelope = Envelope(str(uuid4()), "private.erased", "/intake", str(case_id), AGENCY, now, now, Origin.LIVE)
    name = f"{office.settings.topic_prefix}{CASE_PRIVATE.name}"
    await office.producer.send_and_wait(name, None, key=f"{case_id}/erased".encode(), headers=envelope.to_headers(OCTETS))


async def test_a_note_is_shown_to_its_agency_and_reaches_neither_facts_nor_tables_in_clear(office: Office) -> None:
    case_id = await accepted(office, note=TEXT)

    answer = await notes(office, case_id)
    shown = answer.json()["items"]
    assert answer.headers["cache-control"] == "no-store"
    ((envelope, body),) = await office.facts(case_id, 1)
    assert [(each["text"], each["command_id"]) for each in shown] == [(TEXT, envelope.causation_id)]
    assert "bệnh" not in body
    for table in ("cases", "history", "notes", "outbox", "answers", "access_log"):
        rows = await office.query(f"select t::text from {table} t")
        assert not any("bệnh" in row[0] or TEXT.encode().hex() in row[0] for row in rows), table
    (value,) = (await published(office, case_id, 1, 0)).values
    assert value.what == f"note/{envelope.causation_id}"


async def test_the_same_key_with_another_note_is_another_command(office: Office) -> None:
    case_id, key = await accepted(office), str(uuid4())
    step: dict[str, Any] = {"type": "complete_step", "step": "examine"}
    first = await ask(office, case_id, key, **step, note=TEXT)
    assert (first.status_code, (await ask(office, case_id, key, **step, note=TEXT)).json()) == (200, first.json())
    assert (await ask(office, case_id, key, **step, note="khác")).status_code == 409
    assert (await ask(office, case_id, key, **step)).status_code == 409
    assert len((await notes(office, case_id)).json()["items"]) == 1
    kept = await office.query("select content || answer from answers")
    assert kept
    assert not any(word in row[0] for row in kept for word in ("bệnh", "b\\u1ec7nh"))  # in clear, or as JSON has it


async def test_a_key_that_is_used_again_after_it_was_forgotten_may_have_a_note(office: Office) -> None:
    case_id = await accepted(office)
    first = await ask(office, case_id, "k-forgotten", type="complete_step", step="s", note=TEXT)
    await office.query("delete from answers")
    second = await ask(office, case_id, "k-forgotten", type="complete_step", step="s", note=f"{TEXT}!")
    assert (first.status_code, second.status_code) == (200, 200)
    assert [each["text"] for each in (await notes(office, case_id)).json()["items"]] == [f"{TEXT}!"]


async def test_the_note_of_a_refused_command_is_not_kept(office: Office) -> None:
    case_id = await accepted(office)
    assert (await ask(office, case_id, type="resume", reason="x", note=TEXT)).status_code == 409
    for wrong in ("", "x" * 4001, "a\x00b", 7):
        assert (await ask(office, case_id, type="complete_step", step="s", note=wrong)).status_code == 422
    assert (await notes(office, case_id)).json() == {"items": []}


async def test_every_look_leaves_a_line_and_other_agencies_see_nothing(office: Office) -> None:
    case_id = await accepted(office, note=TEXT)
    assert (await notes(office, case_id, agency="so-khac")).status_code == 404
    assert (await notes(office, case_id, Role.AUDITOR)).status_code == 403
    assert (await notes(office, case_id, purpose="tò mò")).status_code == 422
    assert (await notes(office, case_id)).status_code == 200
    logged = await office.query("select purpose, outcome, found from access_log where case_id = $1 order by id", case_id)
    assert [tuple(row) for row in logged] == [
        ("handle_case", "other_agency", 0), ("handle_case", "not_allowed", 0), ("handle_case", "shown", 1),
    ]  # fmt: skip
    async with office.client(Role.AUDITOR) as http:
        page = (await http.get("/v1/access-log", params={"case_id": str(case_id)})).json()
    assert [each["outcome"] for each in page["items"]] == ["shown", "not_allowed", "other_agency"]


async def test_an_erased_case_loses_its_notes_and_takes_no_more(office: Office) -> None:
    case_id, other = await accepted(office, note=TEXT), await accepted(office, note=TEXT)
    await published(office, case_id, 1, 0)
    await erased(office, case_id)

    async def gone() -> bool:
        async with office.client(Role.ADMIN, None) as http:
            said = (await http.get(f"/v1/cases/{case_id}/holdings")).json()
        return bool(said["erased"]) and not any(said["held"].values())

    await eventually("nothing is held", gone)
    await published(office, case_id, 1, 2)  # the value, until compaction; its tombstone, and intake's word
    answer = await ask(office, case_id, type="complete_step", step="s", note=TEXT)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:motcua:problem:erased")
    assert (await ask(office, case_id, type="complete_step", step="s")).status_code == 200
    assert (await notes(office, case_id)).json() == {"items": []}
    assert len((await notes(office, other)).json()["items"]) == 1


async def test_notes_follow_a_rotation_of_master_keys(office: Office, tmp_path: Path) -> None:
    case_id = await accepted(office, note=TEXT)
    before = await office.query("select sealed from notes where case_id = $1", case_id)
    new = add_master_key(office.settings.private_key_file)

    async def rewrapped() -> bool:
        return not await office.query("select 1 from notes where substring(sealed from 1 for 5) <> $1", b"\x02" + new)

    await eventually("every note is under the new key", rewrapped)
    after = await office.query("select sealed from notes where case_id = $1", case_id)
    assert before[0][0] != after[0][0]
    await published(office, case_id, 2, 0)
    assert (await notes(office, case_id)).json()["items"][0]["text"] == TEXT


async def test_a_command_on_kafka_takes_no_note(office: Office) -> None:
    case_id = await accepted(office)
    now = datetime.now(UTC)
    envelope = Envelope(str(uuid4()), "complete_step", "/desk", str(case_id), AGENCY, now, now, Origin.LIVE)
    name = f"{office.settings.topic_prefix}case-commands"
    value = json.dumps({"step": "s", "note": TEXT}).encode()
    await office.producer.send_and_wait(name, value, key=str(case_id).encode(), headers=envelope.to_headers())

    async def parked() -> bool:
        return bool(await office.query("select 1 from parked where type = 'complete_step' and reason = 'bad_body'"))

    await eventually("it is parked", parked)
    rows = await office.query("select t::text from parked t")
    assert not any(value.hex() in row[0] or TEXT.encode().hex() in row[0] for row in rows), "nothing but its place is kept"
