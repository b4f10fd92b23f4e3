"""XES out: what is written reads back equal, whatever texts it holds; a file appears whole or not at all."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.errors import CommandError
from deploy.history import export as exporting
from deploy.history.export import Exported, Histories, Wanted, export, logged_case
from deploy.imports.xes import read_traces
from deploy.imports.xes_writer import LoggedCase, LoggedEvent, XesWriter, xes_file

AT = datetime(2020, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1)
TIMES = st.datetimes(datetime(1976, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=7))))  # noqa: DTZ001 - bounds
EVENTS = st.builds(LoggedEvent, TEXTS, TIMES, st.none() | TEXTS)
CASES = st.builds(LoggedCase, st.dictionaries(TEXTS, TEXTS), st.lists(EVENTS, max_size=5))


@settings(max_examples=60, deadline=None)
@given(cases=st.lists(CASES, max_size=4))
def test_what_is_written_reads_back_equal(cases: list[LoggedCase], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("out") / "log.xes.gz"
    with xes_file(path) as out:
        for case in cases:
            out.write(case)
    traces = list(read_traces(path))
    assert [dict(trace.attributes) for trace in traces] == [case.attributes for case in cases]
    for trace, case in zip(traces, cases, strict=True):
        assert [event["concept:name"] for event in trace.events] == [event.activity for event in case.events]
        assert [event.get("org:group") for event in trace.events] == [event.unit for event in case.events]
        assert [datetime.fromisoformat(event["time:timestamp"]) for event in trace.events] == [one.at for one in case.events]


def test_signs_that_xml_cannot_hold_are_replaced() -> None:
    out = io.StringIO()
    XesWriter(out).write(LoggedCase({"a": "x\ufffey\x00z"}, []))
    assert 'value="x\ufffdy\ufffdz"' in out.getvalue()


def test_the_same_cases_give_the_same_bytes_and_the_log_says_xes_1_0(tmp_path: Path) -> None:
    for name in ("one.xes.gz", "two.xes.gz"):
        with xes_file(tmp_path / name) as out:
            out.write(LoggedCase({"concept:name": "c"}, [LoggedEvent("A", AT)]))
    assert (tmp_path / "one.xes.gz").read_bytes() == (tmp_path / "two.xes.gz").read_bytes()
    text = gzip.decompress((tmp_path / "one.xes.gz").read_bytes()).decode()
    assert '<log xes.version="1.0"' in text
    assert '<date key="time:timestamp" value="2020-01-02T03:04:05.678900+00:00"/>' in text


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text("before")
    with pytest.raises(AttributeError), xes_file(path) as out:
        out.write(LoggedCase({"concept:name": "c"}, ["no event"]))  # type: ignore[list-item]
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["log.xes"]


# --- cases and histories ------------------------------------------------------------------------------


def fact(kind: str, second: int = 0, **data: Any) -> dict[str, Any]:
    return {"type": kind, "occurred_at": (AT + timedelta(seconds=second)).isoformat(), "data": data}


FACTS = [
    fact("case.submitted"), fact("case.accepted"), fact("case.step_completed", 1, step="A", unit="u"),
    fact("case.step_completed", 1, step="B", unit=None), fact("case.resolved", 1),
]  # fmt: skip


def case_of(number: int, origin: str = "import", day: str = "2020-01-02T20:00:00Z") -> dict[str, Any]:
    names = ("code", "due_at", "resolved_at")
    return {
        "case_id": f"c{number}", "origin": origin, "procedure": "log.receipt", "channel": "counter", "kind": "dossier",
        "status": 9, "submitted_at": day, **dict.fromkeys(names),
    }  # fmt: skip


def test_an_imported_case_gives_its_activities_back_and_nothing_else() -> None:
    trace = logged_case(case_of(1), FACTS)
    assert [(event.activity, event.unit) for event in trace.events] == [("A", "u"), ("B", None)]
    assert trace.attributes["concept:name"] == "c1"
    assert "motcua:code" not in trace.attributes


def test_any_other_case_gives_every_fact() -> None:
    names = [event.activity for event in logged_case(case_of(1, "live"), FACTS).events]
    assert names == ["case.submitted", "case.accepted", "A", "B", "case.resolved"]


def test_days_are_local_and_both_included() -> None:
    wanted = Wanted("so", date(2020, 1, 3), date(2020, 1, 3))
    days = ("2020-01-02T16:59:59Z", "2020-01-02T17:00:00Z", "2020-01-03T16:59:59Z", "2020-01-03T17:00:00Z")
    assert [wanted.holds(case_of(1, day=day)) for day in days] == [False, True, True, False]
    assert Wanted("so").holds(case_of(1))


def served(requests: list[httpx.Request]) -> httpx.MockTransport:
    """Three cases on two pages, histories on two pages each; each address says 503 the first time."""

    def answer(request: httpx.Request) -> httpx.Response:
        first = request.url not in [each.url for each in requests]
        requests.append(request)
        if first:
            return httpx.Response(503)
        cursor = request.url.params.get("cursor")
        if request.url.path == "/v1/cases":
            items, following = ([case_of(1), case_of(2)], "more") if cursor is None else ([case_of(3)], None)
            return httpx.Response(200, json={"items": items, "next": following})
        items, following = (FACTS[:3], "processing.2") if cursor is None else (FACTS[3:], None)
        return httpx.Response(200, json={"items": items, "next": following})

    return httpx.MockTransport(answer)


async def exported(transport: httpx.MockTransport, path: Path) -> Exported:
    async with httpx.AsyncClient(transport=transport) as http:
        return await export(Histories(http, "http://processing"), Wanted("so"), path, lambda *_: None)


async def test_every_page_is_read_and_a_service_that_is_away_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "WAIT_SECONDS", 0.001)
    told = await exported(served([]), tmp_path / "log.xes.gz")
    assert (told.cases, told.events, told.activities, told.variants) == (3, 6, {"A": 3, "B": 3}, {("A", "B"): 3})
    assert [trace.attributes["concept:name"] for trace in read_traces(tmp_path / "log.xes.gz")] == ["c1", "c2", "c3"]


async def test_a_refusal_ends_the_export_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="processing does not give /v1/cases"):
        await exported(httpx.MockTransport(lambda _: httpx.Response(403)), tmp_path / "log.xes.gz")
    assert not list(tmp_path.iterdir())
