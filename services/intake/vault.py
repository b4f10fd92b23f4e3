"""What is personal about a new case: sealed under a data key of its own, and tokens by which it is found again.

The contact travels to the notification service and the free text to whoever has to read it, both on `case-private`; all the
rest stays here. Nothing of it is anywhere else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.intake.domain.people import Applicant
from services.intake.domain.submission import Submission
from shared.contracts.private import CONTACT, NOTE, PERSONAL, Contact, Note
from shared.contracts.words import Origin
from shared.persistence.work import private_headers
from shared.security.key_ring import KeyRing

SERVICE: Final = "intake"
_PERSONAL: Final = {"applicant", "portal_account", "representative", "return_address", "return_email", "return_account"}
"""The members of a submission that are kept sealed, beside the note."""
_CONTACT: Final = set(Contact.model_fields)
_NO_CONTACT: Final = Contact().model_dump_json(exclude_none=True).encode()


class Tokens(NamedTuple):
    """What stands for the identifiers of a person in an index, by kind."""

    id_number: bytes | None = None
    phone: bytes | None = None
    email: bytes | None = None


class Sealed(NamedTuple):
    """Everything personal of a case as it is kept and published: `contact` and `note` with the headers of their records."""

    contact_headers: bytes | None = None
    contact: bytes | None = None
    personal: bytes | None = None
    note_headers: bytes | None = None
    note: bytes | None = None


NOTHING: Final = Sealed()
NO_TOKENS: Final = Tokens()


def seal(keys: KeyRing, case_id: UUID, filed: Submission, now: datetime) -> Sealed:
    """Seal what a submission says of persons. An import or replay that says nothing keeps and publishes nothing.

    A live case without a contact says so, or its first message would wait for one.
    """
    contact, more = _contact_of(filed.applicant), _says_more(filed)
    if contact is None and filed.note is None and not more and filed.origin is not Origin.LIVE:
        return NOTHING
    key, headers = keys.new_case(case_id), None
    told = key.seal(contact or _NO_CONTACT, CONTACT)
    personal = key.seal(_personal_of(filed), PERSONAL) if more else None
    note = None
    if filed.note is not None:
        headers = private_headers(SERVICE, str(case_id), NOTE, filed.agency, now)
        note = key.seal(Note(text=filed.note).model_dump_json().encode(), NOTE)
    return Sealed(private_headers(SERVICE, str(case_id), CONTACT, filed.agency, now), told, personal, headers, note)


def no_contact(keys: KeyRing, case_id: UUID) -> bytes:
    """What says, sealed, that a case has no contact."""
    return keys.new_case(case_id).seal(_NO_CONTACT, CONTACT)


def tokens_of(keys: KeyRing, who: Applicant | None) -> Tokens:
    """The tokens of an applicant's identifiers."""
    if who is None:
        return NO_TOKENS
    given = (("id_number", who.id_number), ("phone", who.phone), ("email", who.email))
    return Tokens(*[None if value is None else token(keys, kind, value) for kind, value in given])


def token(keys: KeyRing, kind: str, value: str) -> bytes:
    """The token of an identifier, however it is written: a phone with or without +84, an address in any case of letters."""
    if kind == "phone":
        value = "0" + value.removeprefix("+").removeprefix("84") if value[0] in "+8" else value
    elif kind == "email":
        value = value.lower()
    return keys.token(kind, value)


def _contact_of(who: Applicant | None) -> bytes | None:
    """A `Contact` as JSON, None when nothing is said; written from the applicant, whose checks are the same."""
    if who is None or (who.name is None and who.email is None and who.phone is None):
        return None
    text: bytes = who.__pydantic_serializer__.to_json(who, include=_CONTACT, exclude_none=True)
    return text


def _says_more(filed: Submission) -> bool:
    """Whether there is anything personal beside contact and note."""
    who = filed.applicant
    return (
        filed.representative is not None
        or (who is not None and (who.id_number is not None or who.address is not None))
        or any((filed.portal_account, filed.return_address, filed.return_email, filed.return_account))
    )


def _personal_of(filed: Submission) -> bytes:
    text: bytes = filed.__pydantic_serializer__.to_json(filed, include=_PERSONAL, exclude_none=True)
    return text
