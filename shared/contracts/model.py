"""What every contract model has in common: strict types, immutability, and errors that never show the input."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$", max_length=64)]
"""An ASCII identifier of lower-case letters, digits, dots, hyphens and underscores (an agency, unit, field, source)."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$", max_length=64)]
"""A code given by an authority: a procedure, a document, a dossier."""

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:_[a-z0-9]+)*$", max_length=64)]
"""A reason as a code; free text never travels on these topics."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A short printable name of a step or an activity; never a person."""

Score = Annotated[int, Field(ge=1, le=5)]
"""How content a citizen is: 1 (not at all) to 5."""

Instant = AwareDatetime
"""A moment with its offset (RFC 3339); kept in UTC."""


class Contract(BaseModel):
    """A body on the wire. Unknown fields are ignored: schemas only grow, and an old reader must read a new writer."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    type: ClassVar[str]
    """The value of `ce_type`."""
