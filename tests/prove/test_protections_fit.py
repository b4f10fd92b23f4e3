"""Each line that `make prove` would change, and each test that must notice, is where it is said to be."""

from __future__ import annotations

from dataclasses import replace

from tests.prove.protections import PROTECTIONS
from tests.prove.prove import ROOT, stale


def test_every_protection_still_fits_the_code() -> None:
    assert stale(ROOT, PROTECTIONS) == []


def test_what_no_longer_fits_is_named() -> None:
    known = PROTECTIONS[1]
    for changed in (
        {"on": "no such line"},
        {"off": "        if (\n"},
        {"tests": ("tests/integration/test_heart.py::no",)},
    ):
        assert len(stale(ROOT, [replace(known, **changed)])) == 1
