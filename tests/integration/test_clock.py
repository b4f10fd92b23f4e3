"""The explanation of the clock over HTTP, from what the database holds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts import commands as ask
from shared.contracts.words import Origin
from shared.security.tokens import Role
from tests.support.explanations import FOLDER, RESOLVE, STEP, SUPPLEMENT
from tests.support.lives import moment
from tests.support.office import AGENCY, Office, running_office
from tests.support.servers import Servers
from tests.support.waiting import eventually

OWN = {"case_id", "code", "business_time", "summary", "due_dates"}
"""What differs from case to case: ids, the allotted code, and the time at which it is asked."""


@pytest.fixture(scope="module")
async def office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with running_office(servers, tmp_path_factory.mktemp("office")) as made:
        yield made


async def submitted(office: Office, at: str) -> UUID:
    case_id = uuid4()
    await office.submit(case_id, moment(at), Origin.REPLAY)
    return case_id


async def test_a_dossier_with_a_supplement_an_extension_and_tet_is_explained_as_in_the_golden_file(office: Office) -> None:
    case_id = await submitted(office, "2021-01-24 21:10")
    extend = ask.Extend(new_due_at=moment("2021-03-02 17:00"), reason="inspection_needed", apology="apology_form_04")
    way = (
        (ask.Accept(unit="one-stop"), "2021-01-25 09:30"),
        (STEP, "2021-01-26 09:00"),
        (SUPPLEMENT, "2021-01-27 10:00"),
        (ask.ReceiveSupplement(), "2021-02-03 14:00"),
        (STEP, "2021-02-05 08:30"),
        (extend, "2021-02-22 09:00"),
        (RESOLVE, "2021-03-02 16:20"),
    )
    for command, at in way:
        await office.command(case_id, command, moment(at), Origin.REPLAY)

    async def resolved() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and status = 9", case_id))

    await eventually("the case is resolved", resolved)
    golden: dict[str, Any] = json.loads((FOLDER / "demo_resolved.json").read_text("utf-8"))
    async with office.client(Role.AUDITOR, None) as http:
        clock = (await http.get(f"/v1/cases/{case_id}/clock")).json()
        found = (await http.get("/v1/cases", params={"code": clock["code"]})).json()
        unknown = (await http.get("/v1/cases", params={"code": "000.00.07.H24-210125-9999"})).json()
    assert {name: value for name, value in clock.items() if name not in OWN} == {
        name: value for name, value in golden.items() if name not in OWN
    }
    assert [each["why"] for each in clock["due_dates"]] == [each["why"] for each in golden["due_dates"]]
    assert clock["summary"]["vi"].replace(clock["code"], golden["code"]) == golden["summary"]["vi"]
    assert ([item["case_id"] for item in found["items"]], unknown["items"]) == ([str(case_id)], [])
    history = {row["event_id"] for row in await office.query("select event_id from history where case_id = $1", case_id)}
    assert {UUID(each["event_id"]) for each in clock["due_dates"]} <= history


async def test_a_case_that_nobody_accepted_has_an_explanation_and_anothers_case_none(office: Office) -> None:
    case_id = await submitted(office, "2020-12-17 22:00")

    async def there() -> bool:
        return bool(await office.query("select 1 from cases where case_id = $1 and status = 1", case_id))

    await eventually("the case is there", there)
    async with office.client() as http, office.client(Role.OFFICER, "other") as stranger:
        clock = (await http.get(f"/v1/cases/{case_id}/clock")).json()
        refused = await stranger.get(f"/v1/cases/{case_id}/clock")
    assert (clock["state"], clock["segments"], clock["due_at"], clock["turnaround_seconds"]) == ("not_started", [], None, 0)
    assert clock["summary"]["vi"].startswith("Hồ sơ chưa được tiếp nhận.")
    assert refused.status_code == 404


async def test_a_clock_is_explained_at_the_agencys_business_time(office: Office) -> None:
    case_id = await submitted(office, "2020-12-16 08:00")
    await office.command(case_id, ask.Accept(), moment("2020-12-17 09:30"), Origin.REPLAY)
    await office.facts(case_id, 1)
    async with office.client(Role.IMPORTER) as keeper, office.client() as http:
        standing = {"mode": "historical", "at": "2020-12-24T10:15:00+07:00"}
        assert (await keeper.put(f"/v1/agencies/{AGENCY}/clock", json=standing)).status_code == 200
        clock = (await http.get(f"/v1/cases/{case_id}/clock")).json()
        assert (await keeper.put(f"/v1/agencies/{AGENCY}/clock", json={"mode": "live"})).status_code == 200
        late = (await http.get(f"/v1/cases/{case_id}/clock")).json()
    assert (clock["mode"], clock["left"]["vi"]) == ("historical", "còn 5 ngày 4 giờ 45 phút làm việc")
    assert clock["working_seconds_left"] == (5 * 8 + 4.75) * 3600
    assert (late["overdue"], late["working_seconds_left"]) == (True, None)
