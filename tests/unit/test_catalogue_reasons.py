"""Reasons and their words: nothing that the system itself states is without them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.catalogue import ReasonUse, load_catalogue
from shared.contracts.words import Rejection

CATALOGUE = load_catalogue()
ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("services", "deploy") for path in (ROOT / folder).rglob("*.py")]
GIVEN = {"reason", "cause", "apology"}


def stated(tree: ast.AST) -> Iterator[str]:
    """Every reason that a call gives as a literal: `reason="..."`, and the code of `Outcome(..., "...")`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in GIVEN and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
                yield keyword.value.value
        if isinstance(node.func, ast.Name) and node.func.id == "Outcome" and isinstance(node.args[-1], ast.Constant):
            yield str(node.args[-1].value)


@pytest.mark.parametrize("rejection", Rejection)
def test_every_rejection_of_a_command_has_words(rejection: Rejection) -> None:
    assert ReasonUse.REJECTION in CATALOGUE.reasons[rejection.value].use


def test_every_reason_that_our_own_code_states_has_words() -> None:
    found = {reason for path in SOURCES for reason in stated(ast.parse(path.read_text(encoding="utf-8")))}
    assert {"no_contact", "bad_address"} <= found
    assert found - set(CATALOGUE.reasons) == set()


def test_every_time_that_can_pass_has_words() -> None:
    times = {"overdue", "undecided", "unassigned", "answer_late", "supplement_timeout", "duty_late", "undelivered"}
    escalations = {code for code, reason in CATALOGUE.reasons.items() if ReasonUse.ESCALATION in reason.use}
    assert times <= escalations


def test_a_reason_has_its_words_in_both_languages_and_an_unknown_one_stays_a_code() -> None:
    assert CATALOGUE.words_of("overdue", "vi") == "quá hạn giải quyết"
    assert CATALOGUE.words_of("overdue", "en") == "the due date has passed"
    assert CATALOGUE.words_of("waits_for_court", "vi") == "waits_for_court"


def test_words_stand_after_a_colon() -> None:
    for reason in CATALOGUE.reasons.values():
        for words in (reason.vi, reason.en):
            assert not words.endswith(".")
            assert words[0] == words[0].lower()


def test_every_use_has_a_reason_to_choose() -> None:
    assert {use for reason in CATALOGUE.reasons.values() for use in reason.use} == set(ReasonUse)
