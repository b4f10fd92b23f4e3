"""A rotation of the master key whose service is killed again and again: it goes on, and every case comes out once."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord

from deploy.history.reading import read_topics
from deploy.local.keys import add_master_key, drop_master_keys
from shared.contracts.topics import CASE_PRIVATE
from shared.observability.failpoints import EXIT_STATUS
from shared.security.key_file import key_id, read_key_file
from shared.security.key_ring import KeyRing
from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults
CASES = 1500
AGENCY = "ldtbxh-haiphong"
KILLS = ("before_commit", "after_commit", "before_commit", "after_publish", "before_commit", "after_commit")
SEED = 20261126


def lines() -> bytes:
    """A bulk file whose applicants all have another name."""
    body = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "post", "note": "Xin gọi trước."}
    filings = (
        {**body, "idempotency_key": f"k-{number}", "applicant": {"name": f"Người {number}", "phone": f"09{number:08d}"}}
        for number in range(CASES)
    )
    return b"".join(json.dumps(each).encode() + b"\n" for each in filings)


async def killed_while_rotating(city: Installation, place: str, passes: int) -> bool:
    """Start intake so that it ends at a pass of a place; whether that was in the middle of the walk."""
    city.start("intake", MOTCUA_FAILPOINTS=f"{place}=exit:{passes}")

    async def ended() -> bool:
        return city.processes["intake"].poll() is not None

    await eventually(f"intake ends at {place}", ended, within=40)
    assert city.processes["intake"].returncode == EXIT_STATUS
    progress = await city.query(
        "intake", "select rewrapped from rotations where done_at is null order by started_at desc limit 1"
    )
    return bool(progress) and 0 < progress[0][0] < CASES


async def test_a_rotation_goes_on_after_every_kill_and_loses_nothing(servers: Servers, tmp_path: Path) -> None:
    async with installed(servers, tmp_path, "intake") as city:
        headers = city.headers(Role.OFFICER, AGENCY)
        answer = await city.http.post(city.url("intake", "/v1/cases/bulk"), content=lines(), headers=headers)
        ids = {json.loads(line)["case_id"]: number for number, line in enumerate(answer.text.splitlines()) if line}
        assert len(ids) == CASES
        city.terminate("intake")
        file = city.keys.folder / "key"
        old = key_id(read_key_file(file).keys[0]).hex()
        new, drawn = add_master_key(file).hex(), random.Random(SEED)

        middles = [await killed_while_rotating(city, place, drawn.randint(2, 5)) for place in KILLS]
        assert any(middles), "no kill was in the middle of the walk"
        began = time.monotonic()
        city.start("intake")
        await city.ready("intake")

        async def done() -> bool:
            rows = await city.query("intake", "select 1 from rotations where key_id = $1 and done_at is not null", new)
            return bool(rows) and not await city.query("intake", "select 1 from outbox limit 1")

        await eventually("the rotation has ended", done, within=60)
        print(
            f"rotation of {CASES} cases after {len(KILLS)} kills ({sum(middles)} in its middle): {time.monotonic() - began:.1f} s"
        )

        prefixes = await city.query(
            "intake", "select substring(v for 5), count(*) from applicants, unnest(array[ciphertext, note]) v group by 1"
        )
        assert [(bytes(row[0][1:]).hex(), row[1]) for row in prefixes] == [(new, 2 * CASES)]
        drop_master_keys(file, [old])
        await published_once_more(city, ids, KeyRing.from_file(file))


async def published_once_more(city: Installation, ids: dict[str, int], alone: KeyRing) -> None:
    """The last value of every key opens with the new key alone and says what was filed."""
    last: dict[str, ConsumerRecord] = {}
    counted: Counter[str] = Counter()

    def take(record: ConsumerRecord) -> None:
        if record.value is not None:
            last[record.key.decode()] = record
            counted[record.key.decode()] += 1

    await read_topics(city.kafka, [CASE_PRIVATE], take)
    assert set(last) == {f"{case_id}/{what}" for case_id in ids for what in ("contact", "note")}
    for key, record in last.items():
        case_id, _, what = key.partition("/")
        content = json.loads(alone.open(record.value, UUID(case_id), what))
        expected = {"text": "Xin gọi trước."} if what == "note" else f"Người {ids[case_id]}"
        assert (content if what == "note" else content["name"]) == expected
    assert max(counted.values()) <= 2 + len(KILLS), "published again more often than it was killed"
