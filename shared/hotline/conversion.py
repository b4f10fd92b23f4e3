"""A vendor's value as a field of the contract takes it: numbers sent as texts, spaces in telephone numbers, times in any form."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from shared.hotline.rules import Rule, UnfitError
from shared.hotline.values import TimeValue, Value

LARGEST_NUMBER: Final = 2**31 - 1
LARGEST_SEQUENCE: Final = 2**62
LONGEST_ID: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_ID: Final = re.compile(r"[\x21-\x7e]+")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?P<offset>[Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_IN_PHONE: Final = re.compile(r"[\s.()\-]")
_NOT_IN_LINE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_LINES: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_SECONDS: Final = {"milliseconds": 0.001, "seconds": 1, "minutes": 60}


def is_blank(raw: Any) -> bool:
    """Whether a vendor's value says nothing: null, or a text of spaces."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def word(raw: Any) -> str:
    """A word as tables write it: `true` and `5` for what JSON writes without quotation marks."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return text(raw)


def text(raw: Any) -> str:
    """A text without spaces at its ends. Raises UnfitError when it is none, or could not be stored as UTF-8."""
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < LARGEST_SEQUENCE:
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return f"{raw:d}" if abs(raw) < 10**30 else _unfit(Rule.TOO_LONG)
    if not isinstance(raw, str):
        raise UnfitError(Rule.NOT_TEXT)
    if "\x00" in raw or not _is_unicode(raw):
        raise UnfitError(Rule.NOT_TEXT)
    return raw.strip()


def identifier(raw: Any) -> str:
    """A source's own id."""
    found = text(raw)
    if len(found) > LONGEST_ID:
        raise UnfitError(Rule.TOO_LONG)
    return found if _ID.fullmatch(found) else _unfit(Rule.BAD_FORM)


def part_of_id(raw: Any) -> str:
    """One of the parts that an event's id is made of, so that no two lists of parts make the same id."""
    return quote(word(raw), safe=":.-_~@+")


def whole(raw: Any, largest: int = LARGEST_NUMBER) -> int:
    """A whole number, sent as such or as a text."""
    if isinstance(raw, str) and _WHOLE.fullmatch(raw.strip()):
        raw = int(raw)
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise UnfitError(Rule.NOT_WHOLE)
    return raw if abs(raw) <= largest else _unfit(Rule.OUT_OF_RANGE)


def number(raw: Any) -> float:
    """A number with or without a fraction, sent as such or as a text."""
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        return float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise UnfitError(Rule.NOT_WHOLE)
    return raw if abs(raw) <= LARGEST_SEQUENCE else _unfit(Rule.OUT_OF_RANGE)


def line(raw: Any) -> str:
    """A text of one line: what ends a line, or cannot be printed, becomes a space."""
    return _NOT_IN_LINE.sub(" ", text(raw)).strip()


def lines(raw: Any) -> str:
    """A text of several lines: what cannot be printed, but for tabs and ends of lines, becomes a space."""
    return _NOT_IN_LINES.sub(" ", text(raw)).strip()


def phone(raw: Any) -> str:
    """A telephone number without spaces, dots, hyphens and brackets."""
    return _IN_PHONE.sub("", text(raw))


def moment(raw: Any, value: TimeValue) -> datetime:
    """A time in UTC.

    Raises:
        UnfitError: It does not have the mapping's form, or is not of this century.
    """
    try:
        at = _READ.get(value.format, _by_pattern)(raw, value)
        return at.astimezone(UTC) if _EARLIEST <= at < _LATEST else _unfit(Rule.TIME_OUT_OF_RANGE)
    except OverflowError:
        raise UnfitError(Rule.TIME_OUT_OF_RANGE) from None


def convert(name: str, raw: Any, value: Value) -> Any:
    """A value for the contract's field of this name. Raises UnfitError."""
    if name in {"waiting_seconds", "talking_seconds"}:
        seconds = number(raw) * _SECONDS[value.unit]
        return int(seconds) if abs(seconds) <= LARGEST_NUMBER else _unfit(Rule.OUT_OF_RANGE)
    converted: Callable[[Any], Any] = _CONVERT.get(name, text)
    return converted(raw)


def takes_unit(name: str) -> bool:
    """Whether the field counts seconds."""
    return name.endswith("_seconds")


_CONVERT: Final[dict[str, Callable[[Any], Any]]] = {
    "call_id": identifier,
    "ticket_id": identifier,
    "score": whole,
    "events": whole,
    "phone": phone,
    "name": line,
    "address": line,
    "content": lines,
}


def _unfit(rule: Rule) -> Any:
    raise UnfitError(rule)


def _is_unicode(raw: str) -> bool:
    """JSON can spell half of a surrogate pair, which is no character."""
    return raw.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in raw)


def _rfc3339(raw: Any, value: TimeValue) -> datetime:
    match = _RFC3339.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or (match["offset"] is None and value.zone is None):
        raise UnfitError(Rule.NOT_A_TIME)
    return _in_zone(_or_unfit(datetime.fromisoformat, match[0].upper()), value)


def _unix_s(raw: Any, _value: TimeValue) -> datetime:
    return _EPOCH + timedelta(seconds=_time_number(raw))


def _unix_ms(raw: Any, _value: TimeValue) -> datetime:
    return _EPOCH + timedelta(milliseconds=_time_number(raw))


def _time_number(raw: Any) -> float:
    try:
        return number(raw)
    except UnfitError as error:
        raise UnfitError(Rule.TIME_OUT_OF_RANGE if error.rule is Rule.OUT_OF_RANGE else Rule.NOT_A_TIME) from None


def _by_pattern(raw: Any, value: TimeValue) -> datetime:
    try:
        written = text(raw)
    except UnfitError:
        raise UnfitError(Rule.NOT_A_TIME) from None
    return _in_zone(_or_unfit(functools.partial(_strptime, value.format), written[:100]), value)


def _strptime(pattern: str, written: str) -> datetime:
    return datetime.strptime(written, pattern)  # noqa: DTZ007 - the zone follows


def _or_unfit(read: Callable[[str], datetime], written: str) -> datetime:
    try:
        return read(written)
    except ValueError:
        raise UnfitError(Rule.NOT_A_TIME) from None


def _in_zone(at: datetime, value: TimeValue) -> datetime:
    if at.tzinfo is not None:
        return at
    return at.replace(tzinfo=ZoneInfo(value.zone)) if value.zone is not None else _unfit(Rule.NOT_A_TIME)


_READ: Final[dict[str, Callable[[Any, TimeValue], datetime]]] = {"rfc3339": _rfc3339, "unix_s": _unix_s, "unix_ms": _unix_ms}
