"""A made-up vendor whose mapping uses everything that a mapping can, for the tests of translation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from shared.hotline.mapping import Mapping
from shared.hotline.reading import read_mapping
from shared.hotline.said import Refused, Said, Understood
from shared.hotline.translate import translate

HEAD = """\
source: vox
title: {vi: "Vox", en: "Vox"}
agency: {expression: office, table: {A: so-a, B: so-b}, default: so-a}
authentication: {scheme: bearer}
expected_silence: {otherwise_minutes: 60}
"""
ALL = (
    HEAD
    + """\
id: id
time: at
sequence: {expression: n, scope: line}
kind:
  expression: what
  table:
    call: call
    ticket: ticket
    again: reopened
    stars: rated
    about: dossier
    hour: count
    ping: {nothing: heartbeat}
call:
  call_id: call
  state: {expression: state, table: {up: answered, down: ended}}
  waiting_seconds: {expression: waited, unit: milliseconds}
  talking_seconds: talked
ticket:
  ticket_id: ticket
  content: text
  classification: {expression: class, table: {"1": conduct, "true": regulation}, default: other}
  caller:
    name: who.name
    phone: {expression: who.phone, if_wrong: leave_out}
    email: who.mail
  dossier_code: {expression: code, if_wrong: leave_out}
  find_code_in_content: true
reopened:
  ticket_id: ticket
rated:
  ticket_id: ticket
  score: stars
dossier:
  dossier_code: code
count:
  hour_at: {expression: hour, format: unix_s}
  events: events
"""
)
MAPPING = read_mapping(ALL, "vox.yaml")
AT = datetime(2026, 9, 22, 2, 0, tzinfo=UTC)
TICKET = {"id": "e1", "at": "2026-09-22T09:00:00+07:00", "what": "ticket", "ticket": "t1", "text": "xin chào"}


def payload(**fields: Any) -> bytes:
    return json.dumps(TICKET | fields).encode()


def one(body: bytes, mapping: Mapping = MAPPING, **how: Any) -> Understood:
    (understood,) = translate(mapping, body, **how)
    return understood


def said(**fields: Any) -> Said:
    understood = one(payload(**fields))
    assert isinstance(understood, Said), understood
    return understood


def wrong(body: bytes, mapping: Mapping = MAPPING, **how: Any) -> list[tuple[str, str, int | None]]:
    understood = one(body, mapping, **how)
    assert isinstance(understood, Refused), understood
    return [(each.field, each.rule, each.line) for each in understood.wrong]


def mapping_with(**lines: str) -> Mapping:
    """The mapping with some of its top lines written anew."""
    text = ALL
    for key, line in lines.items():
        old = next(each for each in ALL.splitlines() if each.startswith(f"{key}:"))
        text = text.replace(old + "\n", line + "\n")
    return read_mapping(text, "vox.yaml")
