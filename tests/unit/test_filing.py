"""`motcua file`: parts of a file, the journal, and what an interrupted run does when it is started again."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.errors import CommandError
from deploy.filing.check import Checked
from deploy.filing.driver import Filing
from deploy.filing.journal import Journal, Places, held
from deploy.filing.lines import LINES_AT_ONCE, LONGEST_LINE, read_parts, survey
from tests.support.fake_intake import FakeIntake, StoppedError, bodies_of, put_in_place, write

LINES = 3 * LINES_AT_ONCE + 200


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeIntake], None]:
    """Put a fake in the place of intake."""
    return put_in_place(monkeypatch)


def filing(file: Path, agency: str | None = None) -> Filing:
    return Filing(file, Places.of(file, file.parent), survey(file), "http://intake", lambda: "t", agency)


def run(file: Path, said: list[str] | None = None) -> dict[str, Any]:
    return asyncio.run(filing(file).run(lambda *_: None, (said if said is not None else []).append))


def refused_lines(file: Path) -> list[int]:
    path = Places.of(file, file.parent).refused
    return [json.loads(line)["line"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("name", ["cases.ndjson", "cases.ndjson.gz"])
def test_every_line_is_filed_once_and_nothing_is_left_behind(
    tmp_path: Path, use: Callable[[FakeIntake], None], name: str
) -> None:
    intake = FakeIntake()
    use(intake)
    file = write(tmp_path, bodies_of(LINES), name)
    told = run(file)
    assert (told["lines"], told["opened"], told["known"], told["refused"]) == (LINES, LINES, 0, 0)
    assert list(tmp_path.iterdir()) == [file]
    told = run(file)
    assert (told["opened"], told["known"]) == (0, LINES)


def test_refused_lines_are_told_with_their_numbers_in_the_file(tmp_path: Path, use: Callable[[FakeIntake], None]) -> None:
    use(FakeIntake())
    file = write(tmp_path, bodies_of(LINES, bad=(2, 1500)))
    file.write_bytes(b"\n\n" + file.read_bytes() + b"x" * (LONGEST_LINE + 1))
    told = run(file)
    assert (told["opened"], told["refused"]) == (LINES - 2, 3)
    assert refused_lines(file) == [4, 1502, LINES + 3]


@pytest.mark.parametrize("stops_at", [1, 2, 3, 4])
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, use: Callable[[FakeIntake], None], stops_at: int) -> None:
    bad = (7, LINES_AT_ONCE + 7, 2 * LINES_AT_ONCE + 7)
    file = write(tmp_path, bodies_of(LINES, bad))
    intake = FakeIntake(stops_at=stops_at)
    use(intake)
    with pytest.raises(StoppedError):
        run(file)
    before, said = intake.lines, list[str]()
    told = run(file, said)
    assert told["opened"] + told["known"] == LINES - len(bad) == len(intake.cases)
    assert (told["refused"], refused_lines(file)) == (len(bad), list(bad))
    assert intake.lines - before <= LINES - told["went_on_after_line"] + 1
    if stops_at > 2:
        assert said == [f"going on after line {told['went_on_after_line']:,}"]
        assert told["went_on_after_line"] >= (stops_at - 2) * LINES_AT_ONCE


def test_what_was_written_but_not_in_the_journal_is_not_told_twice(tmp_path: Path, use: Callable[[FakeIntake], None]) -> None:
    """The journal is written after the refused lines; who dies between the two has both to write again."""
    file = write(tmp_path, bodies_of(LINES, bad=(5,)))
    intake = FakeIntake(stops_at=3)
    use(intake)
    with pytest.raises(StoppedError):
        run(file)
    places = Places.of(file, tmp_path)
    with places.refused.open("ab") as refused:
        refused.write(b'{"line": 1007, "status": 422}\n{"li')
    assert run(file)["refused"] == 1
    assert refused_lines(file) == [5]


def test_a_journal_of_another_content_or_another_intake_is_not_believed(
    tmp_path: Path, use: Callable[[FakeIntake], None]
) -> None:
    file = write(tmp_path, bodies_of(LINES))
    use(FakeIntake(stops_at=4))
    with pytest.raises(StoppedError):
        run(file)
    wiped, said = FakeIntake(), list[str]()
    use(wiped)
    told = run(file, said)
    assert said == ["intake does not know what the journal says was filed: beginning with the first line"]
    assert told["opened"] + told["known"] == LINES == len(wiped.cases)
    use(FakeIntake(stops_at=4))
    with pytest.raises(StoppedError):
        run(file)
    write(tmp_path, bodies_of(LINES + 1))
    other, said = FakeIntake(), []
    use(other)
    assert run(file, said)["opened"] == LINES + 1
    assert said == ["the journal is of other content, another agency or another intake: beginning with the first line"]


def test_a_part_with_lines_that_were_not_committed_is_sent_again(
    tmp_path: Path, use: Callable[[FakeIntake], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.history.services.WAIT_SECONDS", 0.0)
    intake = FakeIntake(unavailable_at=2)
    use(intake)
    file = write(tmp_path, bodies_of(LINES))
    told = run(file)
    assert told["opened"] + told["known"] == LINES == len(intake.cases)
    assert told["refused"] == 0


def test_a_part_whose_answer_has_no_last_word_on_a_line_is_sent_again(
    tmp_path: Path, use: Callable[[FakeIntake], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.history.services.WAIT_SECONDS", 0.0)
    intake = FakeIntake(not_yet={1: None, 2: 408, 4: 500})
    use(intake)
    file = write(tmp_path, bodies_of(LINES))
    told = run(file)
    assert (told["opened"] + told["known"], told["refused"], intake.requests) == (LINES, 0, 7)


def test_an_error_of_intake_that_stays_stops_the_run_and_leaves_its_journal(
    tmp_path: Path, use: Callable[[FakeIntake], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.history.services.WAIT_SECONDS", 0.0)
    monkeypatch.setattr("deploy.history.services.PATIENCE_SECONDS", 0.05)
    use(FakeIntake(not_yet=dict.fromkeys(range(3, 10_000), 500)))
    file = write(tmp_path, bodies_of(LINES))
    with pytest.raises(CommandError):
        run(file)
    journal = Journal.load(Places.of(file, tmp_path).journal)
    assert journal is not None
    assert journal.line == 2 * LINES_AT_ONCE
    assert journal.refused == 0


def test_going_on_files_nothing_to_see_whether_intake_is_the_same(tmp_path: Path, use: Callable[[FakeIntake], None]) -> None:
    file = write(tmp_path, bodies_of(LINES))
    intake = FakeIntake(stops_at=4)
    use(intake)
    with pytest.raises(StoppedError):
        run(file)
    begun_at = json.loads(Places.of(file, tmp_path).journal.read_text())["line"]
    forgotten = {f"forgotten {key}": case_id for key, case_id in intake.cases.items()}
    intake.cases, before = dict(forgotten), intake.lines
    told = run(file)
    assert told["went_on_after_line"] == begun_at
    assert intake.lines - before == LINES - begun_at == len(intake.cases) - len(forgotten)


def test_a_file_of_refused_lines_that_is_shorter_than_it_was_is_written_anew(
    tmp_path: Path, use: Callable[[FakeIntake], None]
) -> None:
    file = write(tmp_path, bodies_of(LINES, bad=(5,)))
    use(FakeIntake(stops_at=4))
    with pytest.raises(StoppedError):
        run(file)
    Places.of(file, tmp_path).refused.unlink()
    said = list[str]()
    use(FakeIntake())
    assert run(file, said)["refused"] == 1
    assert refused_lines(file) == [5]
    assert said == ["cases.ndjson.refused.ndjson is not what the last run wrote: beginning with the first line"]


def test_a_dry_run_finds_faults_and_keys_used_twice_and_files_nothing(tmp_path: Path, use: Callable[[FakeIntake], None]) -> None:
    intake = FakeIntake()
    use(intake)
    bodies = [*bodies_of(1200, bad=(3,)), {"idempotency_key": "k9"}, {"idempotency_key": "k9", "note": "other"}]
    file = write(tmp_path, bodies)
    checked: Checked = asyncio.run(filing(file).check(lambda *_: None))
    assert [str(fault) for fault in checked.faults.first] == [
        "line 3 (bad): is not a field known here",
        "line 1202 (idempotency_key): was used on line 9 with other content",
    ]
    assert (checked.good, checked.bad) == (1200, 2)
    assert intake.cases == {}
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_is_not_filed_twice_at_a_time(tmp_path: Path) -> None:
    file = write(tmp_path, bodies_of(1))
    with held(file), pytest.raises(CommandError), held(file):
        pass


def test_a_journal_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert Journal.load(path) is None
    for content in ("", "{", '{"line": 1}', '{"digest": "a", "intake": "b", "agency": null, "stranger": 1}'):
        path.write_text(content)
        assert Journal.load(path) is None
    journal = Journal("a", "b", None, line=7)
    journal.save(path)
    assert Journal.load(path) == journal


contents = st.lists(
    st.sampled_from([b"", b" ", b"{}", b'{"a":1}\r', b"x" * LONGEST_LINE, b"x" * (LONGEST_LINE + 1), b"x" * 3 * LONGEST_LINE]),
    max_size=24,
)


@given(pieces=contents, ended=st.booleans())
@example(pieces=[b"x" * LONGEST_LINE] * 40, ended=True)
def test_parts_hold_every_line_and_go_on_from_where_they_say(pieces: list[bytes], ended: bool) -> None:
    content = b"\n".join(pieces) + (b"\n" if ended else b"")
    expected = [
        (number, None if len(line) > LONGEST_LINE else line.rstrip(b"\r"))
        for number, line in enumerate(content.split(b"\n"), 1)
        if line.strip()
    ]
    parts = list(read_parts(io.BytesIO(content)))
    read = [(line.number, line.content) for part in parts for line in part.lines]
    assert read == expected
    assert all(content[line.begin :].startswith(line.content or b"x") for part in parts for line in part.lines)
    for part in parts[:-1]:
        rest = [(line.number, line.content) for later in _after(content, part.line, part.offset) for line in later]
        assert rest == [each for each in expected if each[0] > part.line]


def _after(content: bytes, line: int, offset: int) -> Iterator[tuple[Any, ...]]:
    return (part.lines for part in read_parts(io.BytesIO(content), line, offset))
