"""Every type has a golden sample, and every sample ever published is still understood."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from shared.contracts.commands import COMMANDS
from shared.contracts.envelope import from_headers
from shared.contracts.events import EVENTS, CaseEvent
from shared.contracts.hotline import HOTLINE
from shared.contracts.model import Contract
from shared.contracts.topics import CASE_EVENTS, CASE_PRIVATE
from shared.messaging.delivery import Decoder, Delivery, decode_model
from shared.security.key_ring import KeyRing
from tests.contract.golden import FOLDERS, MANIFEST, NAME, SAMPLES, Sample, broken_promises, names, published, read_sample

ALL = [read_sample(name) for name in names()]
EVERY = pytest.mark.parametrize("sample", ALL, ids=[each.name for each in ALL])
OF_EVENTS = [each for each in ALL if each.folder == "events"]
OF_COMMANDS = [each for each in ALL if each.folder == "commands"]
OF_PRIVATE = [each for each in ALL if each.folder == "private"]
NEVER_GIVEN = {("notification.sent", "reason"), ("notification.delivered", "reason")}
"""Fields of a shared shape that a type leaves empty."""
KEYS = KeyRing([bytes(range(32))])


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_type_has_a_sample_and_every_sample_has_a_type(folder: str) -> None:
    assert {each.kind for each in ALL if each.folder == folder} == set(FOLDERS[folder])


@pytest.mark.parametrize(("kind", "model"), [pair for models in FOLDERS.values() for pair in models.items()])
def test_every_field_is_shown_with_a_value_in_some_sample(kind: str, model: type[Contract]) -> None:
    shown = {name for each in ALL if each.kind == kind for name, value in each.value.items() if value is not None}

    assert {name for name in model.model_fields if (kind, name) not in NEVER_GIVEN} - shown == set()


@EVERY
def test_every_sample_is_complete(sample: Sample) -> None:
    assert NAME.fullmatch(sample.name.partition("/")[2])
    assert sample.headers["ce_type"] == sample.kind
    assert set(sample.value) - set(sample.model.model_fields) == set()


@EVERY
def test_every_header_is_read_and_written_the_same(sample: Sample) -> None:
    envelope = from_headers(sample.raw_headers)
    written = {name: value.decode() for name, value in envelope.to_headers()}

    assert written | {"content-type": sample.headers["content-type"]} == sample.headers


@EVERY
def test_every_value_is_read_and_written_the_same(sample: Sample) -> None:
    body = sample.model.model_validate_json(sample.raw_value)

    assert json.loads(body.model_dump_json(exclude_unset=True)) == sample.value
    assert sample.model.model_validate_json(body.model_dump_json()) == body


@pytest.mark.parametrize("sample", OF_EVENTS, ids=[each.name for each in OF_EVENTS])
def test_a_consumer_of_every_event_understands_the_sample(sample: Sample) -> None:
    taken = Decoder({kind: decode_model(model) for kind, model in EVENTS.items()}).read(sample.record())

    assert isinstance(taken, Delivery), taken
    assert type(taken.body) is EVENTS[sample.kind]
    assert taken.envelope.sequence > 0
    of_a_case = issubclass(EVENTS[sample.kind], CaseEvent)
    assert taken.case_id == (UUID(sample.key) if of_a_case else None)


@pytest.mark.parametrize("sample", OF_COMMANDS, ids=[each.name for each in OF_COMMANDS])
def test_a_consumer_of_every_command_understands_the_sample(sample: Sample) -> None:
    taken = Decoder({kind: decode_model(model) for kind, model in COMMANDS.items()}).read(sample.record())

    assert isinstance(taken, Delivery), taken
    assert type(taken.body) is COMMANDS[sample.kind]
    assert (taken.case_id, taken.envelope.sequence) == (UUID(sample.key), 0)


@pytest.mark.parametrize("sample", OF_PRIVATE, ids=[each.name for each in OF_PRIVATE])
def test_what_is_private_travels_encrypted_for_its_case(sample: Sample) -> None:
    case_id, what = UUID(sample.headers["ce_subject"]), sample.kind.removeprefix("private.")
    record = sample.record(KEYS.new_case(case_id).seal(sample.raw_value, what))

    taken = Decoder({sample.kind: lambda ciphertext: ciphertext}).read(record)

    assert isinstance(taken, Delivery), taken
    assert sample.key == f"{taken.case_id}/{what}"
    assert all(str(value).encode() not in taken.body for value in sample.value.values() if len(str(value)) > 2)
    assert taken.case_id is not None
    assert sample.model.model_validate_json(KEYS.open(taken.body, taken.case_id, what)).model_dump() == sample.value


@pytest.mark.parametrize("sample", OF_EVENTS, ids=[each.name for each in OF_EVENTS])
def test_an_unknown_field_of_an_event_is_ignored(sample: Sample) -> None:
    newer = json.dumps(sample.value | {"a_field_of_next_year": {"deep": [1]}})

    body = sample.model.model_validate_json(newer)

    assert body == sample.model.model_validate_json(sample.raw_value)
    assert "a_field_of_next_year" not in body.model_dump_json()


@pytest.mark.parametrize("sample", OF_COMMANDS + OF_PRIVATE, ids=lambda each: str(each.name))
def test_an_unknown_field_of_a_command_or_a_contact_is_refused(sample: Sample) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        sample.model.model_validate_json(json.dumps(sample.value | {"resaon": "typing_error"}))


@EVERY
def test_a_value_of_the_wrong_type_is_refused_without_being_repeated(sample: Sample) -> None:
    for name in sample.value:
        with pytest.raises(ValidationError) as caught:
            sample.model.model_validate_json(json.dumps(sample.value | {name: {"secret": "Nguyễn Văn Kín"}}))
        assert "Kín" not in str(caught.value)


def test_times_with_another_offset_are_the_same_moment() -> None:
    sample = read_sample("events/case.due_soon.v1.json")
    local = sample.value | {"due_at": "2026-12-03T17:00:00+07:00"}

    assert sample.model.model_validate_json(json.dumps(local)) == sample.model.model_validate_json(sample.raw_value)


def test_a_time_without_an_offset_is_refused() -> None:
    sample = read_sample("events/case.due_soon.v1.json")

    with pytest.raises(ValidationError, match="timezone"):
        sample.model.model_validate_json(json.dumps(sample.value | {"due_at": "2026-12-03T17:00:00"}))


def test_every_sample_is_published() -> None:
    assert set(names()) - set(published()) == set(), "publish new samples: python -m tests.contract.publish"


def test_no_published_sample_changed_or_vanished() -> None:
    assert broken_promises() == []


def test_the_list_of_published_samples_is_in_plain_lines() -> None:
    lines = MANIFEST.read_text(encoding="utf-8").splitlines()

    assert len(lines) == len(published())
    assert all(len(line.split("  ")[0]) == 64 for line in lines)


def test_a_changed_and_a_vanished_sample_are_noticed(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "events", tmp_path / "events")
    shutil.copy(MANIFEST, tmp_path / "MANIFEST")
    only_events = [line for line in (tmp_path / "MANIFEST").read_text().splitlines() if "  events/" in line]
    (tmp_path / "MANIFEST").write_text("\n".join(only_events) + "\n")
    assert broken_promises(tmp_path, tmp_path / "MANIFEST") == []

    (tmp_path / "events" / "case.overdue.v1.json").unlink()
    with (tmp_path / "events" / "case.due_soon.v1.json").open("a") as file:
        file.write(" ")

    assert sorted(broken_promises(tmp_path, tmp_path / "MANIFEST")) == [
        "events/case.due_soon.v1.json: changed",
        "events/case.overdue.v1.json: vanished",
    ]


def test_keys_are_what_the_topics_say() -> None:
    assert (CASE_EVENTS.key, CASE_PRIVATE.key) == ("case_id", "case_id/what")
    for sample in ALL:
        subject = sample.headers["ce_subject"]
        what = sample.kind.removeprefix("private.")
        if sample.folder == "receipts":
            what = sample.value["event_id"]
        assert sample.key == (f"{subject}/{what}" if sample.folder in {"private", "receipts"} else subject), sample.name


def test_no_model_is_left_out_of_the_registries() -> None:
    def below(model: type[BaseModel]) -> set[type[BaseModel]]:
        return {each for sub in model.__subclasses__() for each in {sub} | below(sub)}

    typed = {model for model in below(Contract) if "type" in vars(model) and model.__module__.startswith("shared.contracts")}
    registered = {model for models in (*FOLDERS.values(), HOTLINE) for model in models.values()}

    assert {model.__name__ for model in typed - registered} == {"Limit", "Caller", "ReceiptFault"}  # parts of others
