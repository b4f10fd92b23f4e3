"""What all parts of a mapping have in common: nothing is coerced, misspelt or changed."""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from shared.hotline.expressions import check_expression

LONGEST_EXPRESSION: Final = 500


class Strict(BaseModel):
    """A part of a mapping; a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("there is no such time zone; give a name such as Asia/Ho_Chi_Minh") from None
    return name


Expression = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_EXPRESSION), AfterValidator(check_expression)]
"""JMESPath (https://jmespath.org) over one event of the vendor."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]

ZoneName = Annotated[str, AfterValidator(_known_zone)]
