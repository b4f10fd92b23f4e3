"""What feedback is about, as it is filed: a closed list, of feedback only, and stated with the case."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.domain.faults import NotValidError
from services.intake.domain.stating import facts_of, submitted
from services.intake.domain.submission import FilingRules, Submission, read_submission
from shared.catalogue import load_catalogue
from shared.contracts.words import Lane

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
RULES = FilingRules(load_catalogue(), NOW)
FEEDBACK: dict[str, Any] = {"agency": "1022-haiphong", "kind": "feedback", "procedure": "feedback.other", "channel": "hotline"}


def read(**more: Any) -> Submission:
    return read_submission(Submission, json.dumps(FEEDBACK | more).encode(), RULES)


def fault(**more: Any) -> tuple[str, str]:
    with pytest.raises(NotValidError) as caught:
        read(**more)
    (found,) = caught.value.faults
    return found.pointer, found.rule


def test_the_matters_are_those_of_the_public_hotlines_in_both_languages() -> None:
    assert {slug: matter.name.en for slug, matter in load_catalogue().matters.items()} == {
        "infrastructure": "Infrastructure", "traffic": "Traffic", "order": "Public order", "environment": "Environment",
        "health": "Health", "tourism": "Tourism", "other": "Other matters",
    }  # fmt: skip
    assert load_catalogue().of("1022-haiphong").matters["traffic"].name.vi == "Giao thông"


@pytest.mark.parametrize("matter", load_catalogue().matters)
def test_a_matter_is_stated_with_the_case(matter: str) -> None:
    filed = read(matter=matter)
    assert submitted(filed, NOW, Lane.INTERACTIVE, None).matter == matter
    assert facts_of(filed) == json.dumps({"matter": matter}, separators=(",", ":"))


def test_feedback_without_a_matter_is_feedback() -> None:
    assert submitted(read(), NOW, Lane.INTERACTIVE, None).matter is None
    assert facts_of(read()) is None


def test_a_matter_that_is_not_listed_is_a_fault_that_names_the_list() -> None:
    rule = "must be one of infrastructure, traffic, order, environment, health, tourism, other"
    assert fault(matter="ufo") == ("/matter", rule)


def test_a_dossier_has_no_matter() -> None:
    pointer, rule = fault(kind="dossier", procedure="1.001806", channel="counter", matter="traffic")
    assert (pointer, rule) == ("/matter", "must not be given: it belongs to the kind feedback")


def test_a_matter_that_nobody_named_changes_no_earlier_filings_content() -> None:
    assert b"matter" not in read().canonical()
