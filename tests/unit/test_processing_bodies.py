"""Bodies of HTTP commands: what is read, and how every fault is named at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.processing.bodies import command_schema, read_clock_setting, read_command
from shared.contracts import commands as ask
from shared.contracts.commands import COMMANDS
from shared.contracts.words import Channel, ClockMode, Origin
from shared.problems import Problem


def faults(content: Any) -> set[tuple[str, str]]:
    """Pointers and codes of the faults in a body."""
    with pytest.raises(Problem) as raised:
        read_command(content if isinstance(content, bytes) else json.dumps(content).encode())
    assert raised.value.status == 422
    return {(fault["pointer"], fault["code"]) for fault in raised.value.more["errors"]}


def test_a_command_is_read_with_its_occasion() -> None:
    body = read_command(b'{"type": "return", "channel": "post", "occurred_at": "2020-12-17T08:00:00+07:00", "origin": "replay"}')
    assert body.command == ask.Return(channel=Channel.POST)
    assert (body.occurred_at, body.origin) == (datetime(2020, 12, 17, 1, tzinfo=UTC), Origin.REPLAY)


def test_time_and_origin_may_be_left_out() -> None:
    body = read_command(b'{"type": "accept"}')
    assert (body.command, body.occurred_at, body.origin) == (ask.Accept(), None, Origin.LIVE)


def test_the_time_that_a_correction_names_is_that_of_the_corrected_fact() -> None:
    content = {
        "type": "correct",
        "event_id": str(UUID(int=1)),
        "reason": "typing_error",
        "occurred_at": "2020-12-17T08:00:00+07:00",
    }
    body = read_command(json.dumps(content).encode())
    assert body.command == ask.Correct(
        event_id=UUID(int=1), reason="typing_error", occurred_at=datetime(2020, 12, 17, 1, tzinfo=UTC)
    )
    assert (body.occurred_at, body.origin) == (None, Origin.LIVE)


@pytest.mark.parametrize(
    "far", ["1975-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_command_names_no_time_in_which_days_cannot_be_counted(far: str) -> None:
    content = {"type": "extend", "new_due_at": far, "reason": "complex", "apology": "issued"}
    assert ("/new_due_at", "time_range") in faults(content)


def test_every_fault_is_named_at_once_and_the_input_never() -> None:
    secret = "Nguyễn Văn A"
    body = {
        "type": "complete_step",
        "step": "",
        "unit": secret,
        "remark": secret,
        "note": 7,
        "occurred_at": "yesterday",
        "origin": secret,
    }
    assert faults(body) == {
        ("/step", "string_too_short"),
        ("/unit", "string_pattern_mismatch"),
        ("/remark", "extra_forbidden"),
        ("/note", "string_type"),
        ("/occurred_at", "datetime_parsing"),
        ("/origin", "enum"),
    }
    with pytest.raises(Problem) as raised:
        read_command(json.dumps(body).encode())
    assert secret not in json.dumps(raised.value.body(), ensure_ascii=False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ("/", "json_invalid")),
        (b"{", ("/", "json_invalid")),
        (b"\xff", ("/", "json_invalid")),
        (b"[" * 100_000, ("/", "json_invalid")),
        (b"[]", ("/", "json_type")),
        (b"{}", ("/type", "missing")),
        (b'{"type": "close"}', ("/type", "unknown_command")),
        (b'{"type": 1}', ("/type", "string_type")),
        (b'{"type": "accept", "occurred_at": "2020-12-17T08:00:00"}', ("/occurred_at", "timezone_aware")),
        (b'{"type": "accept", "occurred_at": "0001-01-01T00:00:00+14:00"}', ("/occurred_at", "time_range")),
        (b'{"type": "forward"}', ("/", "value_error")),
    ],
)
def test_a_wrong_body_is_answered_with_its_rule(content: bytes, expected: tuple[str, str]) -> None:
    assert expected in faults(content)


@given(
    st.binary(max_size=200) | st.recursive(st.text() | st.integers() | st.none(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_no_body_leads_to_anything_but_a_problem(raw: bytes) -> None:
    with pytest.raises(Problem):
        read_command(raw)


@given(
    name=st.sampled_from(sorted(COMMANDS)),
    rest=st.dictionaries(
        st.sampled_from(["unit", "reason", "step", "occurred_at", "origin", "channel", "to_unit", "x"]),
        st.text(max_size=5) | st.integers() | st.none(),
    ),
)
def test_any_fields_are_read_or_refused(name: str, rest: dict[str, Any]) -> None:
    raw = json.dumps({"type": name} | rest).encode()
    try:
        body = read_command(raw)
    except Problem:
        assert faults(raw)
    else:
        assert body.command.type == name


def test_the_schema_knows_every_command() -> None:
    schema = command_schema()
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert {variant["properties"]["type"]["const"] for variant in schema["oneOf"]} == set(COMMANDS)
    assert check.is_valid({"type": "resolve", "outcome": "granted", "occurred_at": "2020-12-17T08:00:00+07:00"})
    assert not check.is_valid({"type": "resolve", "outcome": "perhaps"})
    assert check.is_valid({"type": "accept", "note": "x"})
    assert not check.is_valid({"type": "accept", "note": "x" * 4001})
    assert not check.is_valid({"type": "accept", "remark": "x"})
    assert "$ref" not in json.dumps(schema)


def test_a_historical_clock_needs_its_time_and_a_live_one_has_none() -> None:
    setting = read_clock_setting(b'{"mode": "historical", "at": "2020-12-17T17:00:00+07:00"}')
    assert (setting.mode, setting.at) == (ClockMode.HISTORICAL, datetime(2020, 12, 17, 10, tzinfo=UTC))
    assert read_clock_setting(b'{"mode": "live"}').at is None
    for wrong in (
        b'{"mode": "historical"}',
        b'{"mode": "live", "at": "2020-12-17T17:00:00Z"}',
        b"{}",
        b'{"mode": "slow"}',
        b"no",
    ):
        with pytest.raises(Problem):
            read_clock_setting(wrong)
