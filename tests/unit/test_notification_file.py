"""The file channel: each id once, whatever crashed in between."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from services.notification.channels import file as file_module
from services.notification.channels.channel import Message, Result
from services.notification.channels.file import FileChannel


def message(number: int = 0) -> Message:
    return Message(
        id=uuid7(),
        case_id=UUID(int=number),
        fact="case.accepted",
        fact_id=str(uuid7()),
        recipient="applicant",
        language="vi",
        origin="replay",
        occurred_at=datetime(2020, 12, 17, 2, tzinfo=UTC),
        subject="Hồ sơ đã được tiếp nhận",
        text="Dòng một\nDòng hai\n",
        address="secret@example.vn",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "messages.ndjson"


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


async def test_each_message_is_one_line_with_its_id(path: Path) -> None:
    sent = [message(number) for number in range(3)]
    outcomes = await FileChannel(path).send(sent)
    assert [outcome.result for outcome in outcomes] == [Result.SENT] * 3
    assert ids_in(path) == [str(each.id) for each in sent]
    line = json.loads(path.read_text().splitlines()[0])
    assert line["text"] == "Dòng một\nDòng hai\n"
    assert line["occurred_at"] == "2020-12-17T02:00:00+00:00"


async def test_a_line_holds_no_address(path: Path) -> None:
    await FileChannel(path).send([message()])
    assert "secret" not in path.read_text()


async def test_a_message_that_comes_again_is_not_written_again(path: Path) -> None:
    channel, sent = FileChannel(path), [message(), message()]
    await channel.send(sent)
    outcomes = await channel.send([*sent, message()])
    assert [outcome.result for outcome in outcomes] == [Result.SENT] * 3
    assert len(ids_in(path)) == len(set(ids_in(path))) == 3


async def test_a_restarted_channel_knows_what_was_written_before_the_crash(path: Path) -> None:
    sent = [message() for _ in range(5)]
    await FileChannel(path).send(sent)
    await FileChannel(path).send(sent)
    assert ids_in(path) == [str(each.id) for each in sent]


async def test_two_replicas_on_one_file_know_each_others_lines(path: Path) -> None:
    one, other, sent = FileChannel(path), FileChannel(path), [message(), message()]
    await one.send(sent[:1])
    await other.send(sent)
    await one.send(sent)
    assert ids_in(path) == [str(each.id) for each in sent]


async def test_a_line_that_a_crash_left_unfinished_is_cut_off_and_written_whole(path: Path) -> None:
    sent = [message(), message()]
    await FileChannel(path).send(sent)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    await FileChannel(path).send(sent)
    assert path.read_bytes() == whole


async def test_a_file_that_was_moved_away_is_begun_anew(path: Path) -> None:
    channel, first, second = FileChannel(path), message(), message()
    await channel.send([first])
    path.rename(path.with_suffix(".old"))
    await channel.send([second])
    assert ids_in(path) == [str(second.id)]


async def test_only_the_end_of_a_long_file_is_remembered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_module, "TAIL_BYTES", 2_000)
    monkeypatch.setattr(file_module, "REMEMBERED", 3)
    sent = [message() for _ in range(40)]
    await FileChannel(path).send(sent)
    restarted = FileChannel(path)
    await restarted.send(sent[-3:])
    assert len(ids_in(path)) == 40


async def test_a_folder_that_cannot_be_written_means_later_and_not_never(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    outcomes = await FileChannel(tmp_path / "state" / "messages.ndjson").send([message()])
    assert [(outcome.result, outcome.reason) for outcome in outcomes] == [(Result.RETRY, "file_not_writable")]


async def test_a_write_that_fails_half_way_leaves_no_half_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, first, second = FileChannel(path), message(), message()
    await channel.send([first])
    before = path.read_bytes()

    def full_disk(file: int, content: bytes) -> None:
        os.write(file, content[:30])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_module, "_write_all", full_disk)
    assert (await channel.send([second]))[0].result is Result.RETRY
    assert path.read_bytes() == before
    monkeypatch.undo()
    assert (await channel.send([second]))[0].result is Result.SENT
    assert ids_in(path) == [str(first.id), str(second.id)]


async def test_the_file_is_its_owners_alone(path: Path) -> None:
    await FileChannel(path).send([message()])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
