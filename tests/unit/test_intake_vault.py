"""What of a submission is sealed, published and made findable."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from ormsgpack import unpackb

from services.intake.domain.people import Applicant
from services.intake.domain.submission import FilingRules, Submission, read_submission
from services.intake.vault import NOTHING, Sealed, seal, token, tokens_of
from shared.catalogue import load_catalogue
from shared.contracts.private import Contact, Note
from shared.security.key_ring import KeyRing

KEYS, CASE, NOW = KeyRing([b"k" * 32]), uuid4(), datetime(2026, 11, 26, tzinfo=UTC)
RULES = FilingRules(load_catalogue(()), NOW)
BODY = {"agency": "ldtbxh-haiphong", "kind": "dossier", "procedure": "1.001806", "channel": "online"}
WHO = {"name": "Nguyễn Thị Mẫu", "email": "Mau.Nguyen@example.com", "phone": "+84900000000", "language": "en"}
MORE = {
    "portal_account": "mau-nguyen-79",
    "representative": {"name": "Trần Văn Đại Diện", "document": "giay-uy-quyen", "phone": "0911111111"},
    "return_channel": "post",
    "return_address": "12 Lạch Tray, Hải Phòng",
}
TEXT = "Xin gọi trước 8 giờ\nvà sau 17 giờ."


def sealed(**more: Any) -> Sealed:
    """A submission with more members, sealed."""
    return seal(KEYS, CASE, read_submission(Submission, json.dumps({**BODY, **more}).encode(), RULES), NOW)


def opened(value: bytes | None, what: str) -> dict[str, Any]:
    """A sealed value as JSON."""
    assert value is not None
    content: dict[str, Any] = json.loads(KEYS.open(value, CASE, what))
    return content


def test_a_contact_is_sealed_as_the_contract_says() -> None:
    made = sealed(applicant=WHO)
    assert made.contact is not None
    assert Contact.model_validate_json(KEYS.open(made.contact, CASE, "contact")) == Contact(**WHO)
    assert (made.personal, made.note, made.note_headers) == (None, None, None)


def test_the_contact_holds_nothing_that_a_messenger_need_not_know() -> None:
    made = sealed(applicant={**WHO, "id_number": "031090000000", "address": "12 Lạch Tray"}, note=TEXT, **MORE)
    assert opened(made.contact, "contact") == WHO
    assert opened(made.personal, "personal") == {
        "applicant": {**WHO, "id_number": "031090000000", "address": "12 Lạch Tray"},
        **{name: value for name, value in MORE.items() if name != "return_channel"},
    }
    assert made.note is not None
    assert Note.model_validate_json(KEYS.open(made.note, CASE, "note")).text == TEXT


@pytest.mark.parametrize("name", ["portal_account", "representative", "return_address"])
def test_each_personal_member_alone_is_kept(name: str) -> None:
    more = {name: MORE[name]} | ({"return_channel": "post"} if name == "return_address" else {})
    assert opened(sealed(**more).personal, "personal") == {name: MORE[name]}


def test_every_personal_member_of_a_submission_is_sealed_somewhere() -> None:
    public = {
        "agency", "kind", "procedure", "channel", "documents", "return_channel", "filed_at", "origin",
        "counter", "officer", "online_level", "handed_over_at", "postal_record", "pre_intake_id", "matter",
    }  # fmt: skip
    kept = {"applicant", "portal_account", "representative", "return_address", "return_email", "return_account", "note"}
    assert set(Submission.model_fields) == public | kept, "say of a new field whether it is personal"


def test_all_values_of_a_case_are_under_one_data_key() -> None:
    made = sealed(applicant={**WHO, "id_number": "031090000000"}, note=TEXT)
    assert len({value[:65] for value in (made.contact, made.personal, made.note) if value is not None}) == 1
    assert sealed(applicant=WHO).contact != sealed(applicant=WHO).contact


def test_headers_name_the_kind_and_nothing_personal() -> None:
    made = sealed(applicant=WHO, note=TEXT)
    assert made.contact_headers is not None
    assert made.note_headers is not None
    kinds = [dict(map(tuple, unpackb(each)))["ce_type"] for each in (made.contact_headers, made.note_headers)]
    assert kinds == [b"private.contact", b"private.note"]
    everything = b"".join(each for each in made if each is not None)
    assert not [word for word in (*WHO.values(), TEXT) if len(word) > 2 and word.encode() in everything]


def test_a_live_case_without_a_contact_says_so_and_an_import_without_one_nothing() -> None:
    assert opened(sealed().contact, "contact") == {"language": "vi"}
    past = {"origin": "import", "filed_at": "2020-03-02T08:00:00+07:00"}
    assert sealed(**past) == NOTHING
    assert sealed(**past, applicant={"language": "en"}) == NOTHING
    assert sealed(**past, note=TEXT).note is not None
    assert opened(sealed(**past, applicant=WHO).contact, "contact") == WHO


def test_tokens_stand_for_every_identifier_however_it_is_written() -> None:
    who = Applicant(id_number="031090000000", phone="+84900000000", email="Mau.Nguyen@example.com")
    assert tokens_of(KEYS, who)._asdict() == {
        "id_number": KEYS.token("id_number", "031090000000"),
        "phone": KEYS.token("phone", "0900000000"),
        "email": KEYS.token("email", "mau.nguyen@example.com"),
    }
    assert tokens_of(KEYS, None) == tokens_of(KEYS, Applicant(name="Nguyễn Thị Mẫu")) == (None, None, None)


@pytest.mark.parametrize("phone", ["0900000000", "84900000000", "+84900000000"])
def test_a_phone_has_one_token(phone: str) -> None:
    assert token(KEYS, "phone", phone) == KEYS.token("phone", "0900000000")
