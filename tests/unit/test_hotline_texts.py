"""What a ticket may say is what a filing may: a vendor is told of it by the contract, and not when the ticket is filed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.intake.domain.people import Applicant, Filed, FreeText
from shared.contracts.hotline import Caller, TicketOpened
from shared.hotline.said import Said
from tests.support.vox import one, payload


class Note(Filed):
    """The free text of a filing."""

    text: FreeText


def takes(model: type[BaseModel], **given: Any) -> bool:
    """Whether a model takes these values."""
    try:
        model.model_validate(given)
    except ValidationError:
        return False
    return True


ODD = "\x00\x01\t\n\x0b\r\x1f\x7f\x80\x85\x9f\xa0\xad\u2028\u2029\ufeff"
LETTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(ODD)


@given(st.text(LETTERS, max_size=12) | st.builds(lambda letter, number: letter * number, LETTERS, st.integers(290, 310)))
@settings(max_examples=400)
def test_the_contract_takes_the_texts_that_a_filing_takes(text: str) -> None:
    assert takes(Caller, name=text) == takes(Applicant, name=text)
    assert takes(Caller, address=text) == takes(Applicant, address=text)
    assert takes(TicketOpened, ticket_id="t", content=text) == takes(Note, text=text)


@pytest.mark.parametrize("odd", ["\x01", "\x1f", "\x7f", "\x85", "\u2028", "\u2029"])
def test_what_no_filing_may_hold_becomes_a_space_in_a_vendors_text(odd: str) -> None:
    said = one(payload(text=f"a{odd}b\r\n\tc{odd}", who={"name": f"Trần{odd}Thị\nThử"}))

    assert isinstance(said, Said)
    assert isinstance(said.body, TicketOpened)
    assert said.body.content == "a b\r\n\tc"
    assert said.body.caller == Caller(name="Trần Thị Thử")
