"""`motcua clock`: what an officer sees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.cli.clock import as_text, ask
from deploy.errors import CommandError
from tests.support.explanations import FOLDER

CASE_ID = "01936f3c-0000-7000-8000-000000000001"


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


class Services:
    """Answers as the stack does, and remembers what it was asked."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self.answers, self.asked = answers, list[str]()

    def ask(self, _service: str, path: str, *, params: dict[str, Any] | None = None) -> dict[str, Any] | None:
        self.asked.append(f"{path} {params or ''}".strip())
        return self.answers.get(path)


@pytest.mark.parametrize("name", [path.stem for path in sorted(FOLDER.glob("*.json"))])
def test_every_explanation_can_be_shown_vietnamese_first(name: str) -> None:
    shown = as_text(golden(name))
    plain = " ".join(shown.replace("│", " ").split())
    left = golden(name)["left"]
    assert plain.index(left["vi"]) < plain.index(left["en"])
    assert max(len(line) for line in shown.splitlines()) <= 130


def test_the_demonstration_shows_segments_due_dates_and_the_count_day_by_day() -> None:
    shown = as_text(golden("demo"))
    for part in ("25/01/2021 09:30", "Nghị định 61/2018/NĐ-CP, Điều 19.9", "Tết Nguyên đán", "ngày thứ 10", "32 ngày 05:00:00"):
        assert part in shown
    assert "29 of Lunar New Year" in shown


def test_a_breach_and_a_provisional_date_stand_out() -> None:
    assert "VI PHẠM" in as_text(golden("extended_too_late"))
    assert "Tạm tính" in as_text(golden("provisional"))


def test_a_case_is_found_by_its_id_and_by_its_code() -> None:
    clock = golden("plain")
    services = Services({f"/v1/cases/{CASE_ID}/clock": clock, "/v1/cases": {"items": [{"case_id": CASE_ID}], "next": None}})
    assert ask(services, CASE_ID.upper()) == clock  # type: ignore[arg-type]
    assert ask(services, clock["code"]) == clock  # type: ignore[arg-type]
    assert services.asked[1].startswith("/v1/cases {'code': '000.00.07.H24-201217-0023'")


def test_an_unknown_case_is_refused_by_name() -> None:
    nothing = Services({"/v1/cases": {"items": [], "next": None}})
    for case in (CASE_ID, "000.00.07.H24-201217-9999"):
        with pytest.raises(CommandError, match=case):
            ask(nothing, case)  # type: ignore[arg-type]
