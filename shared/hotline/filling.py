"""One event of a vendor, read field by field: what fits fills the contract's body, what does not is noted with its line."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.contracts.hotline import HotlineEvent
from shared.hotline.blocks import Block, CallerBlock, EventKind, TicketBlock
from shared.hotline.codes import find_code
from shared.hotline.conversion import convert, is_blank, moment, word
from shared.hotline.expressions import ExpressionError, search
from shared.hotline.mapping import Mapping
from shared.hotline.rules import Rule, UnfitError, rule_of
from shared.hotline.said import Wrong
from shared.hotline.values import TimeValue, Value

T = TypeVar("T")
_Path = tuple[Hashable, ...]


class Reader:
    """Reads one event; `wrong` is everything that did not fit."""

    def __init__(self, mapping: Mapping, scope: Any) -> None:
        self.mapping, self.scope = mapping, scope
        self.wrong: list[Wrong] = []
        self._given: dict[_Path, Value | TimeValue] = {}

    def refuse(self, field: str, rule: Rule, *path: Hashable) -> None:
        """Note that the value of an expression breaks a rule; `path` leads to its place in the mapping."""
        self.wrong.append(Wrong(field, rule.value, self.mapping.line_of(*path)))

    def find(self, expression: str, *path: Hashable) -> Any:
        """The raw value of an expression; None when it cannot be applied, which is noted."""
        try:
            return search(expression, self.scope)
        except ExpressionError:
            self.refuse(expression, Rule.EXPRESSION_FAILED, *path)
            return None

    def attempt(self, read: Callable[[], T], field: str, *path: Hashable) -> T | None:
        """What `read` gives; None when it does not fit, which is noted."""
        try:
            return read()
        except UnfitError as error:
            self.refuse(field, error.rule, *path)
            return None

    def needed(self, expression: str, read: Callable[[Any], T], *path: Hashable) -> T | None:
        """The value of an expression that an event must have."""
        before = len(self.wrong)
        raw = self.find(expression, *path)
        if not is_blank(raw):
            return self.attempt(lambda: read(raw), expression, *path)
        if len(self.wrong) == before:
            self.refuse(expression, Rule.MISSING, *path)
        return None

    def agency(self) -> str:
        """The agency that the event is for; a word that the mapping lacks is noted."""
        agency = self.mapping.agency
        if agency.expression is None or agency.table is None:
            return self.mapping.home_agency
        raw = self.find(agency.expression, "agency")
        if is_blank(raw):
            return self.mapping.home_agency
        named = self.attempt(lambda: word(raw), agency.expression, "agency")
        if named is not None and named not in agency.table:
            self.refuse(agency.expression, Rule.UNKNOWN_WORD, "agency", "table")
        return agency.table.get(named or "", self.mapping.home_agency)

    def fill(self, kind: EventKind, block: Block) -> HotlineEvent | None:
        """The contract's body of a block; None when a field is wrong."""
        before = len(self.wrong)
        self._given.clear()
        fields = self._fields(block, (kind.value,))
        if isinstance(block, TicketBlock) and block.find_code_in_content and "content" in fields:
            code = fields.get("dossier_code") or find_code(fields["content"])
            fields |= {"dossier_code": code} if code else {}
        body = self._validated(block.contract, fields, (kind.value,), self.wrong[before:])
        return body if len(self.wrong) == before else None

    def _fields(self, block: Block | CallerBlock, path: _Path) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name in type(block).model_fields:
            here, value = (*path, name), getattr(block, name)
            if isinstance(value, Value | TimeValue):
                self._given[here] = value
            if isinstance(value, Value):
                found = self._value(name, value, here)
            elif isinstance(value, TimeValue):
                found = self._time(value, here)
            else:
                found = (self._fields(value, here) or None) if isinstance(value, CallerBlock) else None
            if found is not None:
                fields[name] = found
        return fields

    def _value(self, name: str, value: Value, path: _Path) -> Any:
        if value.expression is None:
            return value.value
        try:
            raw = search(value.expression, self.scope)
            if is_blank(raw):
                return value.default
            return convert(name, raw, value) if value.table is None else _looked_up(value, raw)
        except (UnfitError, ExpressionError) as error:
            if value.if_wrong == "refuse":
                rule = error.rule if isinstance(error, UnfitError) else Rule.EXPRESSION_FAILED
                self.refuse(value.expression, rule, *path)
            return None

    def _time(self, value: TimeValue, path: _Path) -> Any:
        raw = self.find(value.expression, *path)
        return None if is_blank(raw) else self.attempt(lambda: moment(raw, value), value.expression, *path)

    def _validated(
        self, contract: type[HotlineEvent], fields: dict[str, Any], path: _Path, known: list[Wrong]
    ) -> HotlineEvent | None:
        """The body; once more without what may be left out; a field that was wrong already is not found missing as well."""
        try:
            return contract.model_validate(fields)
        except ValidationError as error:
            faults = [((*path, *fault["loc"]), rule_of(fault)) for fault in error.errors(include_url=False, include_input=False)]
        kept = [(place, rule) for place, rule in faults if not self._left_out(fields, place)]
        if not kept:
            return self._validated(contract, fields, path, known) if faults else None
        for place, rule in kept:
            field = self._named(place)
            if not any(wrong.field == field for wrong in known):
                self.refuse(field, rule, *place)
        return None

    def _left_out(self, fields: dict[str, Any], place: _Path) -> bool:
        """Take a field out that the mapping lets go; False when it does not, or when it is not there."""
        value = self._given.get(place)
        if not isinstance(value, Value) or value.if_wrong == "refuse":
            return False
        _, *outer, name = map(str, place)
        holder = fields.get(outer[0], {}) if outer else fields
        taken = holder.pop(name, None)
        if outer and not holder:
            fields.pop(outer[0], None)
        return taken is not None

    def _named(self, place: _Path) -> str:
        """The vendor's field: its expression, or the contract's own name where the mapping has none."""
        value = self._given.get(place)
        return value.expression if value is not None and value.expression else ".".join(map(str, place[1:]))


def _looked_up(value: Value, raw: Any) -> Any:
    found = (value.table or {}).get(word(raw), value.otherwise)
    if found is None:
        raise UnfitError(Rule.UNKNOWN_WORD)
    return found
