"""The escalation chains as an installation sets them."""

from __future__ import annotations

from typing import Any

import pytest

from services.processing.domain.escalation import ChainError, Escalation, Late, Level, make_chains
from services.processing.domain.timers import due_facts
from services.processing.settings import ProcessingSettings
from shared.catalogue import load_catalogue
from shared.settings import load_settings
from tests.support.timing import LATER, Rules, accepted, said


def test_a_chain_that_is_given_replaces_the_usual_one_and_no_other() -> None:
    chains = make_chains({Late.OVERDUE: (Level(1, "chief"),)})
    assert chains[Late.OVERDUE] == (Level(1, "chief"),)
    assert chains[Late.UNASSIGNED] == Escalation().chains[Late.UNASSIGNED]
    facts = due_facts(accepted(), LATER, Rules(escalation=Escalation(chains)))
    assert said(facts)[2:] == [("overdue.1 chief", "2021-01-05 00:00:00")]


@pytest.mark.parametrize("late", [Late.OVERDUE, Late.UNASSIGNED])
def test_nobody_can_switch_off_the_chain_of_late_and_of_unassigned_cases(late: Late) -> None:
    with pytest.raises(ChainError, match=f"the chain of {late} needs"):
        make_chains({late: ()})
    assert make_chains({Late.UNDELIVERED: ()})[Late.UNDELIVERED] == ()


def test_levels_come_in_the_order_of_time() -> None:
    with pytest.raises(ChainError, match="in the order of after_working_days"):
        make_chains({Late.OVERDUE: (Level(2, "director"), Level(1, "unit-head"))})


@pytest.mark.parametrize("late", list(Late))
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_reason_has_words(late: Late, language: str) -> None:
    assert load_catalogue().words_of(late, language) != late


REQUIRED = {
    "MOTCUA_KAFKA_BOOTSTRAP": "localhost:9092",
    "MOTCUA_POSTGRES_URL": "postgresql://localhost/postgres",
    "MOTCUA_TOKEN_PUBLIC_KEY_FILE": "public.json",
    "MOTCUA_PRIVATE_KEY_FILE": "key",
}


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("required")
def test_the_chain_is_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(ProcessingSettings).make_escalation() == Escalation()
    monkeypatch.setenv("MOTCUA_ESCALATION", '{"unassigned": [{"after_working_days": 0, "to": "chief"}]}')
    monkeypatch.setenv("MOTCUA_UNDELIVERED_AFTER_WORKING_DAYS", "3")
    made = load_settings(ProcessingSettings).make_escalation()
    assert (made.chains[Late.UNASSIGNED], made.undelivered_after) == ((Level(0, "chief"),), 3)


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOTCUA_ESCALATION", "nonsense"),
        ("MOTCUA_ESCALATION", '{"unheard_of": []}'),
        ("MOTCUA_ESCALATION", '{"overdue": []}'),
        ("MOTCUA_ESCALATION", '{"overdue": [{"after_working_days": -1, "to": "chief"}]}'),
        ("MOTCUA_ESCALATION", '{"overdue": [{"after_working_days": 1, "to": "No Slug"}]}'),
        ("MOTCUA_ESCALATION", '{"overdue": [{"after_working_days": 1, "to": "b"}, {"after_working_days": 0, "to": "a"}]}'),
        ("MOTCUA_UNDELIVERED_AFTER_WORKING_DAYS", "0"),
        ("MOTCUA_TIMER_SECONDS", "0"),
        ("MOTCUA_TIMER_SECONDS", "31"),
        ("MOTCUA_TIMER_GRACE_SECONDS", "-1"),
    ],
)
def test_a_wrong_chain_stops_the_start_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load_settings(ProcessingSettings)
    assert stopped.value.code == 2
    assert f"setting {name}" in capsys.readouterr().err
