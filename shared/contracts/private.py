"""What travels encrypted on `case-private`: contacts and free text. The key of a record is `<case_id>/<what>`."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from shared.contracts.model import Contract

Email = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^@\s\x00-\x1f\x7f<>,;:\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}$", max_length=254
    ),
]
Phone = Annotated[str, StringConstraints(pattern=r"^(?:\+84|84|0)\d{8,10}$")]

CONTACT: Final = "contact"
NOTE: Final = "note"
"""A note of an officer adds the id of its command: `note/<id>`."""
ERASED: Final = "erased"
PERSONAL: Final = "personal"
"""What intake alone keeps; never published."""


class Private(Contract):
    """A body that is only ever serialised to be encrypted. Unknown fields are refused: what is not understood is not kept."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Contact(Private):
    """Where and in which language the applicant wants to be told."""

    type = "private.contact"

    name: str | None = Field(default=None, max_length=200)
    email: Email | None = None
    phone: Phone | None = None
    language: Annotated[str, StringConstraints(pattern=r"^(vi|en)$")] = "vi"


class Note(Private):
    """Free text about a case, by the applicant or an officer."""

    type = "private.note"

    text: Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class Erased(Private):
    """Tells whoever keeps something of his own about a case to erase it. A record of this type has no value."""

    type = "private.erased"


PRIVATE: Final[dict[str, type[Private]]] = {Contact.type: Contact, Note.type: Note, Erased.type: Erased}
"""Every type on `case-private` by the value of `ce_type`."""
