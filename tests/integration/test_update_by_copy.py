"""Many changed cases at once are written another way than few: by COPY."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.persistence import bulk
from tests.support.sample import Sample
from tests.support.servers import Keys, Servers


@pytest.fixture
async def sample(servers: Servers, tmp_path: Path) -> AsyncIterator[Sample]:
    made = await Sample.make(servers, Keys.make(tmp_path / "keys"), park_limit=20)
    yield made
    await made.close()


async def steps(sample: Sample, case_ids: Iterable[UUID]) -> set[str]:
    rows = await sample.query("select distinct steps from cases where case_id = any($1::uuid[])", list(case_ids))
    return {row[0] for row in rows}


async def change(sample: Sample, case_ids: Sequence[UUID], to: str, *, fails: bool = False) -> None:
    async with sample.store.open(case_ids) as work:
        for locked in work.cases.values():
            locked.state = replace(locked.state, steps=to)
        if fails:
            await work.flush()
            raise LookupError


async def test_each_transaction_writes_what_it_changed_itself_and_nothing_of_those_before(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MANY", 100)
    few, others = [uuid4() for _ in range(3)], [uuid4() for _ in range(100)]
    with pytest.raises(LookupError):
        await change(sample, few + others, "lost", fails=True)
    await change(sample, few + others, "first")
    assert await steps(sample, few + others) == {"first"}
    await change(sample, few, "second")
    await change(sample, others, "third")
    assert await steps(sample, few) == {"second"}
    assert await steps(sample, others) == {"third"}
