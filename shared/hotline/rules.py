"""Why an event is refused: stable names, with what each asks for. The list is open: intake adds what only it can know."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final


class Rule(StrEnum):
    """The rules that a payload and its fields are held to."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    REPEATED_NAME = "repeated_name"
    NOT_A_NUMBER = "not_a_number"
    TOO_DEEP = "too_deep"
    TOO_MANY_EVENTS = "too_many_events"
    NOT_AN_OBJECT = "not_an_object"
    NOT_A_CLOUDEVENT = "not_a_cloudevent"
    MISSING = "missing"
    UNKNOWN_WORD = "unknown_word"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_TYPE = "unknown_type"
    NOT_TEXT = "not_text"
    NOT_WHOLE = "not_whole"
    NOT_A_TIME = "not_a_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    TOO_LONG = "too_long"
    BAD_FORM = "bad_form"
    OUT_OF_RANGE = "out_of_range"
    EXPRESSION_FAILED = "expression_failed"


EXPLAINED: Final[dict[Rule, str]] = {
    Rule.TOO_LARGE: "the body has more than 262,144 bytes",
    Rule.NOT_JSON: "the body is no JSON in UTF-8",
    Rule.REPEATED_NAME: "an object gives a name twice, which two readers may read differently",
    Rule.NOT_A_NUMBER: "NaN, Infinity or a number beyond what a double can hold",
    Rule.TOO_DEEP: "objects and lists are nested more than 32 deep",
    Rule.TOO_MANY_EVENTS: "one call brings more than 1,000 events",
    Rule.NOT_AN_OBJECT: "an event is a JSON object",
    Rule.NOT_A_CLOUDEVENT: "a CloudEvent has specversion 1.0, and its attributes are texts",
    Rule.MISSING: "the field is needed, and is absent, null or blank",
    Rule.UNKNOWN_WORD: "the mapping's table does not have this word",
    Rule.UNKNOWN_FIELD: "the contract has no such field; misspelt?",
    Rule.UNKNOWN_TYPE: "the contract has no such type of event",
    Rule.NOT_TEXT: "a text or a whole number is asked for",
    Rule.NOT_WHOLE: "a whole number is asked for",
    Rule.NOT_A_TIME: "the time does not have the form that the mapping states, or no offset is known",
    Rule.TIME_OUT_OF_RANGE: "the time is before 2000 or after 2099; seconds taken for milliseconds?",
    Rule.TOO_OLD: "it happened more than 13 days ago: ids are known for 14 days, so it may have been taken before",
    Rule.IN_THE_FUTURE: "it happens more than a day from now; a wrong clock or zone?",
    Rule.TOO_LONG: "the text is longer than the contract allows",
    Rule.BAD_FORM: "the value does not have the form that the contract asks for",
    Rule.OUT_OF_RANGE: "the number is less or more than the contract allows",
    Rule.EXPRESSION_FAILED: "the mapping's expression cannot be applied to this value",
}
"""For the guide and for `check`: what each rule says."""

_OF_PYDANTIC: Final = {
    "missing": Rule.MISSING,
    "extra_forbidden": Rule.UNKNOWN_FIELD,
    "string_too_long": Rule.TOO_LONG,
    "string_too_short": Rule.MISSING,
    "enum": Rule.UNKNOWN_WORD,
    "literal_error": Rule.UNKNOWN_WORD,
    "string_type": Rule.NOT_TEXT,
    "string_unicode": Rule.NOT_TEXT,
    "int_type": Rule.NOT_WHOLE,
    "int_parsing": Rule.NOT_WHOLE,
    "int_from_float": Rule.NOT_WHOLE,
    "greater_than_equal": Rule.OUT_OF_RANGE,
    "less_than_equal": Rule.OUT_OF_RANGE,
    "model_type": Rule.NOT_AN_OBJECT,
    "datetime_type": Rule.NOT_A_TIME,
    "datetime_parsing": Rule.NOT_A_TIME,
    "datetime_from_date_parsing": Rule.NOT_A_TIME,
    "timezone_aware": Rule.NOT_A_TIME,
}


class UnfitError(Exception):
    """A value breaks a rule; the value is never repeated."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.value)
        self.rule = rule


def rule_of(error: Any) -> Rule:
    """The rule that one of pydantic's errors stands for."""
    return _OF_PYDANTIC.get(error["type"], Rule.BAD_FORM)
