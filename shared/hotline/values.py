"""Where one field comes from: an expression over the payload, a constant, or the vendor's word with a table."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from shared.contracts.model import Slug
from shared.hotline.strict import Expression, Strict, ZoneName

Word = str | int
"""A constant: a word of ours, or a whole number."""

NAMED_FORMATS: Final = frozenset({"rfc3339", "unix_s", "unix_ms"})


def _time_format(text: str) -> str:
    if text in NAMED_FORMATS:
        return text
    moment = datetime(2001, 12, 13, 14, 15)  # noqa: DTZ001 - a local time, as formats without an offset give
    try:
        pattern = text.replace("%z", "")
        same = datetime.strptime(moment.strftime(pattern), pattern).replace(tzinfo=None) == moment  # noqa: DTZ007 - likewise
    except ValueError:
        same = False
    if not same:
        raise ValueError("is rfc3339, unix_s, unix_ms, or a strptime pattern that tells the day, the hour and the minute")
    return text


class Value(Strict):
    """Where one field comes from. Blank texts count as absent.

    `default` is taken when the payload has nothing, `otherwise` for a word that is not in the table. `if_wrong: leave_out` lets
    an event count without a field that it needs not: a citizen's feedback is not refused for an odd telephone number.
    """

    expression: Expression | None = None
    value: Word | None = None
    table: Annotated[dict[str, Word], Field(min_length=1)] | None = None
    default: Word | None = None
    otherwise: Word | None = None
    unit: Literal["milliseconds", "seconds", "minutes"] = "seconds"
    if_wrong: Literal["refuse", "leave_out"] = "refuse"

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return {"expression": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _one_origin(self) -> Value:
        if (self.expression is None) == (self.value is None):
            raise ValueError("give exactly one of expression and value")
        if self.value is not None and (self.table or self.default is not None):
            raise ValueError("a constant has no table and no default")
        if self.otherwise is not None and self.table is None:
            raise ValueError("otherwise belongs to a table")
        return self

    @property
    def constants(self) -> list[Word]:
        """Everything that the mapping itself gives to this field."""
        given = (self.value, self.default, self.otherwise, *(self.table or {}).values())
        return [word for word in given if word is not None]


class TimeValue(Strict):
    """A moment: its expression, its form, and the zone of a form that tells no offset."""

    expression: Expression
    format: Annotated[str, AfterValidator(_time_format)] = "rfc3339"
    zone: ZoneName | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return {"expression": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _offset_is_known(self) -> TimeValue:
        if self.format not in NAMED_FORMATS and "%z" not in self.format and self.zone is None:
            raise ValueError("zone is needed, since the format tells no offset (%z)")
        return self


class SequenceValue(Strict):
    """The source's own number of an event: 1, 2, 3 … within `scope` (a trunk, a node); missing numbers are reported."""

    expression: Expression
    scope: Expression | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return {"expression": raw} if isinstance(raw, str) else raw


class AgencyValue(Strict):
    """The agency: one slug, or the vendor's word with a table, where a word that it lacks is refused, so nothing goes elsewhere.

    `default` is the agency of events without a word, and the one that the feed is reported to.
    """

    value: Slug | None = None
    expression: Expression | None = None
    table: Annotated[dict[str, Slug], Field(min_length=1)] | None = None
    default: Slug | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return {"value": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _whole(self) -> AgencyValue:
        parts = [part is not None for part in (self.expression, self.table, self.default)]
        if any(parts) == (self.value is not None) or (any(parts) and not all(parts)):
            raise ValueError("give one agency, or expression, table and default")
        return self
