"""A new master key at a running intake: everything moves to it, and nothing else changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

import shared.service.keys
from deploy.local.keys import add_master_key, drop_master_keys
from services.intake import rotation
from services.intake.rotation import rewrap_some
from shared.contracts.envelope import from_headers
from shared.security.key_file import CipherError, key_id, read_key_file
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.intake import AGENCY, Office, open_office
from tests.support.keys import seal_version_1
from tests.support.servers import Servers
from tests.support.vault import BODY, FULL, PERSON, TEXT, WHY, file, rows
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(servers, tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
async def officer(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.client() as client:
        yield client


async def by_key(office: Office) -> tuple[Counter[str], int]:
    """How many values in intake's database are under each key, and on how many pages that was said."""
    async with office.client(Role.ADMIN, None) as admin:
        counted, pages, cursor = Counter[str](), 0, ""
        while cursor is not None:
            page = (await admin.get("/v1/keys", params={"cursor": cursor})).json()
            counted.update(page["values"])
            pages, cursor = pages + 1, page["next"]
    return counted, pages


async def test_what_hangs_on_a_key_is_counted_page_by_page(
    office: Office, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await file(officer, FULL)
    (there,) = await rows(office, "select sum(num_nonnulls(ciphertext, personal, note)) from applicants")

    async def sent() -> bool:
        return not await rows(office, "select 1 from outbox limit 1")

    await eventually("the outbox is empty", sent)
    whole, few = await by_key(office)
    monkeypatch.setattr(shared.service.keys, "PAGE", 2)
    paged, many = await by_key(office)
    assert whole == paged == {KeyRing.from_file(office.settings.private_key_file).current.hex(): there[0]}
    assert (few, many > 5) == (4, True)
    for role, agency, status in ((Role.ADMIN, AGENCY, 403), (Role.OFFICER, AGENCY, 403), (Role.AUDITOR, None, 403)):
        async with office.client(role, agency) as client:
            assert (await client.get("/v1/keys")).status_code == status


async def test_a_rotation_leaves_nothing_on_the_older_key_and_changes_nothing_else(servers: Servers, tmp_path: Path) -> None:
    async with open_office(servers, tmp_path) as office, office.client() as officer:
        key_file = office.settings.private_key_file
        old = read_key_file(key_file).keys[0]
        full, plain, early = await file(officer, FULL, "k-1"), await file(officer, BODY), await file(officer, BODY)
        contact = json.dumps({"name": "Nguyễn Thị Mẫu", "language": "vi"}).encode()
        sealed = seal_version_1(old, UUID(plain), contact)
        await rows(office, "update applicants set ciphertext = $2 where case_id = $1", UUID(plain), sealed)
        await rows(office, "update applicants set ciphertext = '' where case_id = $1", UUID(early))  # as a migration leaves it
        before = {each: len(await office.records(each, count)) for each, count in ((full, 3), (plain, 2), (early, 2))}

        new = add_master_key(key_file)
        again = {each: await office.records(each, before[each] + more) for each, more in ((full, 2), (plain, 1), (early, 1))}

        async def clean() -> bool:
            return set((await by_key(office))[0]) == {new.hex()}

        await eventually("nothing hangs on the older key", clean)
        drop_master_keys(key_file, [key_id(old).hex()])
        alone = KeyRing.from_file(key_file)
        for case_id, records in again.items():
            for record in records[before[case_id] :]:
                what = record.key.decode().partition("/")[2]
                assert alone.open(record.value, UUID(case_id), what)
                first = next(each for each in records if each.key == record.key)
                assert from_headers(record.headers).recorded_at >= from_headers(first.headers).recorded_at
                with pytest.raises(CipherError):
                    alone.open(first.value, UUID(case_id), what)
        shown = (await officer.get(f"/v1/cases/{full}/applicant", params=WHY)).json()
        assert (shown["people"]["applicant"], shown["note"]) == (PERSON, TEXT)
        shown = (await officer.get(f"/v1/cases/{plain}/applicant", params=WHY)).json()
        assert shown["people"]["applicant"] == json.loads(contact)
        found = (await officer.post("/v1/applicants/search", json={"id_number": PERSON["id_number"], **WHY})).json()
        assert [case["case_id"] for case in found["items"]] == [full]
        assert await file(officer, FULL, "k-1") == full, "digests are the same"


async def test_cursors_that_no_page_gave_are_refused(office: Office) -> None:
    async with office.client(Role.ADMIN, None) as admin:
        for cursor in ("0/abc", "1/ab", "2/ab", "2/9999999999999999999", "3/1", "0/0-1", "2/-1", f"0/{'0-' * 18}"):
            answer = await admin.get("/v1/keys", params={"cursor": cursor})
            assert answer.status_code == 422, cursor
            assert answer.json()["errors"][0]["pointer"] == "/query/cursor" or "pattern" in answer.text
        assert (await admin.get("/v1/keys", params={"cursor": "99/"})).json()["next"] is None


async def test_what_was_filed_under_the_older_key_after_the_end_is_found_later(servers: Servers, tmp_path: Path) -> None:
    async with open_office(servers, tmp_path) as office, office.client() as officer:
        case_id, file_ = UUID(await file(officer, FULL)), office.settings.private_key_file
        ((late,),) = await rows(office, "select ciphertext from applicants where case_id = $1", case_id)
        new, store = add_master_key(file_), office.app.state.runtime.store
        ring, wrapped = KeyRing.from_file(file_), "substring(ciphertext from 2 for 4)"

        async def ended() -> bool:
            await rewrap_some(store, ring)
            return bool(await rows(office, "select 1 from rotations where key_id = $1 and done_at is not null", new.hex()))

        assert [await ended() for _ in range(3)] == [False] * 3, "another replica may file under the older key a moment longer"
        await rows(office, "update rotations set started_at = started_at - interval '1 minute'")
        await eventually("the walk has ended", ended)
        await rows(office, "update applicants set ciphertext = $2 where case_id = $1", case_id, late)
        assert not await rewrap_some(store, ring)
        assert await rows(office, f"select {wrapped} from applicants") == [(late[1:5],)], "not at every turn"
        await rows(office, "update rotations set done_at = now() - interval '11 minutes'")
        await eventually("the walk has ended again", ended)
        assert await rows(office, f"select {wrapped} from applicants") == [(new,)]


async def test_an_erased_case_is_not_published_again_and_what_does_not_open_stops_nobody(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_office(servers, tmp_path) as office, office.client() as officer:
        monkeypatch.setattr(rotation, "BATCH", 2)
        cases = sorted([await file(officer, FULL) for _ in range(5)], key=UUID)
        await rows(office, "delete from applicants where case_id = $1", UUID(cases[1]))
        await rows(office, "update applicants set note = $2 where case_id = $1", UUID(cases[2]), b"\x02" + bytes(120))
        ring = KeyRing.from_file(office.settings.private_key_file)
        new = add_master_key(office.settings.private_key_file).hex()
        ring.refresh()
        steps = 0
        while not await rows(office, "select 1 from rotations where changed = 0 and rewrapped > 0 and key_id = $1", new):
            await rewrap_some(office.app.state.runtime.store, ring)
            steps += 1
            assert steps < 60
        (progress,) = await rows(office, "select rewrapped, done_at from rotations where key_id = $1", new)
        assert progress == (3, None), "the last walk comes when every replica has read the file again"
        for case_id, count in ((cases[4], 5), (cases[0], 5), (cases[1], 3), (cases[2], 3)):
            assert len(await office.records(case_id, count)) == count
