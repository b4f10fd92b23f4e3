"""A first mapping made from a sample: guesses, and a `# TODO` wherever only a person knows. `read_mapping` finds each of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from shared.hotline.blocks import EventKind
from shared.hotline.guesses import NAMES, is_any_id_inside, kind_of, names_of, plain, state_of
from shared.hotline.payload import read_payload
from shared.hotline.rules import EXPLAINED, UnfitError

MOST_WORDS: Final = 20
"""Words of a table that are taken from the sample; a field with more is no kind."""

LONGEST_WORD: Final = 200

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_YAML_WORDS: Final = frozenset({"on", "off", "yes", "no", "true", "false", "null", "y", "n"})
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_PATTERNS: Final = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%H:%M:%S %d/%m/%Y", "%H:%M %d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
)  # fmt: skip
_OPTIONAL: Final = {
    EventKind.CALL: ("waiting_seconds", "talking_seconds", "dossier_code"),
    EventKind.TICKET: ("content", "classification", "matter", "same_matter", "dossier_code", "call_id"),
}
_LENIENT: Final = frozenset({"phone", "email", "dossier_code", "call_id"})
Found = dict[str, Any]
"""Values of a sample by the expression that finds them."""


class DraftError(ValueError):
    """A sample cannot be read; the sentence says why."""


def draft(name: str, sample: bytes) -> str:
    """A mapping for a source of this name, from one payload (or several, as a list or a line each).

    Raises:
        DraftError: The sample is no JSON, or holds no object.
    """
    splitter, events = _events(sample)
    found = [dict(_flat(event, "")) for event in events]
    guess = _Guess(found)
    lines = [*_head(name), *([f"events: {_quoted(splitter)}", ""] if splitter else [])]
    lines += [*guess.identity(), "", *guess.kind(), ""]
    lines += [*guess.blocks(), *_tail()]
    return "\n".join(lines) + "\n"


def _events(sample: bytes) -> tuple[str | None, list[dict[str, Any]]]:
    """The expression that takes a payload apart, if it must be, and the events in it."""
    body = _read(sample)
    if isinstance(body, dict):
        lists = [(key, value) for key, value in body.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
        whole = len(lists) == 1 and not any(_named("id", key) or _named("kind", key) for key in body)
        if whole and _is_plain(lists[0][0]):
            return _key(lists[0][0]), [one for one in lists[0][1] if isinstance(one, dict)]
        return None, [body]
    events = [one for one in body if isinstance(one, dict)] if isinstance(body, list) else []
    if not events:
        raise DraftError("a sample is a JSON object, a list of objects, or an object in each line")
    return None, events


def _read(sample: bytes) -> Any:
    try:
        return read_payload(sample)
    except UnfitError as error:
        lines = [line for line in sample.splitlines() if line.strip()]
        if len(lines) < 2:
            raise DraftError(EXPLAINED[error.rule]) from None
    try:
        return [read_payload(line) for line in lines]
    except UnfitError as error:
        raise DraftError(EXPLAINED[error.rule]) from None


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every plain value with its expression; objects inside are entered, lists are not."""
    for key, inner in value.items():
        here = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(inner, dict):
            yield from _flat(inner, here)
        elif not isinstance(inner, list) and _is_plain(here):
            yield here, inner


def _is_plain(text: str) -> bool:
    """Whether a word or an expression of the sample can stand in a file that people edit."""
    return text.isprintable() and len(text) <= LONGEST_WORD


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _named(field: str, key: str) -> bool:
    return plain(key) in NAMES[field]


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever it holds."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _head(name: str) -> list[str]:
    return [
        f"source: {_quoted(name)}",
        f'title: {{vi: "{name}", en: "{name}"}}  # TODO: what people read, Vietnamese first',
        "agency: so-demo  # TODO: the agency that handles the feedback",
        "# standard_webhooks; hmac with header, algorithm, encoding, prefix; bearer; basic. Secrets are never in this file.",
        "authentication: {scheme: standard_webhooks}  # TODO: how the vendor signs",
        "",
    ]


def _tail() -> list[str]:
    return [
        "expected_silence:",
        "  hours:",
        "    - {days: mon-fri, hours: 7-17, minutes: 60}  # TODO: the longest silence that is usual in working hours",
        "  otherwise_minutes: 4320",
    ]


class _Guess:
    """What the fields of a sample probably are."""

    def __init__(self, events: list[Found]) -> None:
        self.events = events
        self.all: Found = {}
        for event in reversed(events):
            self.all |= {path: value for path, value in event.items() if value is not None}
        path = self._of("kind")
        self.kind_path = path if path is not None and self._words(path) else None
        self.kinds = self._kinds()

    def _of(self, field: str) -> str | None:
        """The expression whose last name is the most telling one; of equal ones, the shortest."""
        names = NAMES[field]
        paths = [path for path in self.all if field != "id" or not is_any_id_inside(path)]
        ranked = [(names.index(name), len(path), path) for path in paths for name in names_of(path) if name in names]
        return min(ranked)[2] if ranked else None

    def _words(self, path: str) -> list[str]:
        given = (event.get(path) for event in self.events)
        words = {str(word).strip() for word in given if isinstance(word, str | int)}
        return sorted(word for word in words if word and _is_plain(word))[:MOST_WORDS]

    def _kinds(self) -> dict[str, EventKind | None]:
        """What each word of the sample becomes; where the words say nothing, what the fields look like."""
        words = self._words(self.kind_path) if self.kind_path else []
        shape = self._shape()
        kinds = {word: kind_of(word) or (shape if len(words) == 1 else None) for word in words}
        if shape is EventKind.CALL:  # a word such as "created" is then a call's, too
            kinds = {word: shape if kind is EventKind.TICKET and state_of(word) else kind for word, kind in kinds.items()}
        return kinds or {"": shape}

    def _shape(self) -> EventKind:
        about_ticket = self._of("content") or (self._of("ticket_id") and not self._of("call_id"))
        return EventKind.TICKET if about_ticket else EventKind.CALL

    def identity(self) -> Iterator[str]:
        """Where the event's id, time and number are."""
        yield from self._id()
        path = self._of("time")
        yield f"time: {_time(path, self.all[path])}" if path else "time: {expression: time}  # TODO: where the event's time is"
        if number := self._of("sequence"):
            yield f"sequence: {_quoted(number)}"

    def _id(self) -> Iterator[str]:
        own = self._of("id")
        if own is not None:
            yield f"id: {_quoted(own)}  # TODO: is it the event's own, the same when it is sent again?"
            return
        parts = [path for path in (self._of("call_id") or self._of("ticket_id"), self.kind_path, self._of("time")) if path]
        yield f"id_from: [{', '.join(map(_quoted, parts or ['id']))}]  # TODO: what tells one event from all others"

    def kind(self) -> Iterator[str]:
        """What each word of the vendor becomes."""
        if self.kind_path is None:
            yield f"kind: {self.kinds['']}  # TODO: is every event of this kind?"
            return
        yield "# call, ticket, reopened, rated, dossier, count, or {nothing: reason}; a word that is not here is refused."
        yield f"kind:\n  expression: {_quoted(self.kind_path)}\n  table:"
        for word, kind in self.kinds.items():
            told = f"{kind}" if kind else "{nothing: not_needed}  # TODO: what does it become?"
            yield f"    {_quoted(word)}: {told}"

    def blocks(self) -> Iterator[str]:
        """The fields of each kind that the sample has."""
        for kind in EventKind:
            if kind in self.kinds.values() and kind is not EventKind.NOTHING:
                yield f"{kind}:"
                yield from self._block(kind)
                yield ""

    def _block(self, kind: EventKind) -> Iterator[str]:
        if kind is EventKind.CALL:
            yield self._needed("call_id", "the id that all events of one call share")
            yield from self._state()
        else:
            yield self._needed("ticket_id", "the ticket's own id")
        if kind is EventKind.RATED:
            yield self._needed("score", "1 to 5")
        yield from (f"  {line}" for field in _OPTIONAL.get(kind, ()) for line in self._optional(field))
        if kind is EventKind.TICKET:
            caller = [line for field in ("name", "phone", "email", "address") for line in self._optional(field)]
            yield from ["  caller:", *(f"    {line}" for line in caller)] if caller else []
            yield from ["  find_code_in_content: true"] if self._of("content") else []

    def _needed(self, field: str, what: str) -> str:
        path = self._of(field)
        return f"  {field}: {_quoted(path)}" if path else f"  {field}: {field}  # TODO: {what}"

    def _state(self) -> Iterator[str]:
        path = self._of("state")
        if path is None:
            yield "  state: {value: created}  # TODO: created, queued, ringing, answered, ended or abandoned"
            return
        words = [word for word in self._words(path) if path != self.kind_path or self.kinds.get(word) is EventKind.CALL]
        yield f"  state:\n    expression: {_quoted(path)}\n    table:"
        for word in words:
            state = state_of(word)
            yield f"      {_quoted(word)}: {state}" if state else f"      {_quoted(word)}: created  # TODO: which state is it?"

    def _optional(self, field: str) -> Iterator[str]:
        path = self._of(field)
        if path is None:
            return
        if field in {"classification", "matter"}:
            yield from self._table(field, path)
        elif field in _LENIENT:
            yield f"{field}: {{expression: {_quoted(path)}, if_wrong: leave_out}}"
        else:
            yield f"{field}: {_quoted(path)}"

    def _table(self, field: str, path: str) -> Iterator[str]:
        words = ", ".join(f"{_quoted(word)}: other" for word in self._words(path)) or "other: other"
        known = "conduct, regulation or other" if field == "classification" else "infrastructure, traffic, order, environment …"
        yield f"{field}: {{expression: {_quoted(path)}, table: {{{words}}}, otherwise: other}}  # TODO: {known}"


def _time(path: str, value: Any) -> str:
    """The time's form, as the sample shows it."""
    written = str(value).strip()
    if re.fullmatch(r"\d{9,10}(\.\d+)?", written):
        return f"{{expression: {_quoted(path)}, format: unix_s}}"
    if re.fullmatch(r"\d{12,13}", written):
        return f"{{expression: {_quoted(path)}, format: unix_ms}}"
    if match := _RFC3339.fullmatch(written):
        zone = "" if match[1] else ", zone: Asia/Ho_Chi_Minh"
        return f"{{expression: {_quoted(path)}, format: rfc3339{zone}}}"
    pattern = next((pattern for pattern in _PATTERNS if _fits(written, pattern)), None)
    if pattern is None:
        return (
            f"{{expression: {_quoted(path)}, format: rfc3339}}  # TODO: rfc3339, unix_s, unix_ms or a strptime pattern and zone"
        )
    return f'{{expression: {_quoted(path)}, format: "{pattern}", zone: Asia/Ho_Chi_Minh}}'


def _fits(written: str, pattern: str) -> bool:
    try:
        datetime.strptime(written, pattern)  # noqa: DTZ007 - only the form is looked at
    except ValueError:
        return False
    return True
