"""What travels encrypted on `case-private`: the applicant's contact. The key of a record is `<case_id>/contact`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from shared.contracts.model import Contract

Email = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^@\s\x00-\x1f\x7f<>,;:\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}$", max_length=254
    ),
]
Phone = Annotated[str, StringConstraints(pattern=r"^(?:\+84|84|0)\d{8,10}$")]


def contact_context(case_id: UUID) -> bytes:
    """What a contact's ciphertext is bound to: it opens for its own case only."""
    return str(case_id).encode()


class Contact(Contract):
    """Where and in which language the applicant wants to be told. Only ever serialised to be encrypted."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    type = "private.contact"

    name: str | None = Field(default=None, max_length=200)
    email: Email | None = None
    phone: Phone | None = None
    language: Annotated[str, StringConstraints(pattern=r"^(vi|en)$")] = "vi"
