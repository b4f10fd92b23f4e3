"""JMESPath with a few functions for what vendors do to their values; compiled once, and never a traceback."""

from __future__ import annotations

import functools
from typing import Any, Final

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from shared.hotline.codes import find_code


class ExpressionError(ValueError):
    """An expression cannot be applied to this value; the value is never repeated."""


class _Functions(functions.Functions):
    """`lower`, `trim`, `before`, `after`, `minus` and `find_code`; `null` where there is nothing to work on."""

    @functions.signature({"types": ["string", "null"]})
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.lower()

    @functions.signature({"types": ["string", "null"]})
    def _func_trim(self, text: str | None) -> str | None:
        return None if text is None else text.strip()

    @functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_before(self, text: str | None, mark: str) -> str | None:
        """What stands before the first mark; all of it where there is no mark."""
        return text if text is None or not mark else text.partition(mark)[0]

    @functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_after(self, text: str | None, mark: str) -> str | None:
        """What stands after the first mark, or null."""
        if text is None or not mark or mark not in text:
            return None
        return text.partition(mark)[2]

    @functions.signature({"types": ["number", "null"]}, {"types": ["number", "null"]})
    def _func_minus(self, whole: float | None, part: float | None) -> float | None:
        return None if whole is None or part is None else whole - part

    @functions.signature({"types": ["string", "null"]})
    def _func_find_code(self, text: str | None) -> str | None:
        """The first dossier code in a text."""
        return None if text is None else find_code(text)


_FUNCTIONS: Final = _Functions()
_OPTIONS: Final = jmespath.Options(custom_functions=_FUNCTIONS)


@functools.lru_cache(4096)
def compiled(expression: str) -> ParsedResult:
    """The expression, ready to be applied. Raises `jmespath.exceptions.JMESPathError` when it is none."""
    return jmespath.compile(expression)


def check_expression(expression: str) -> str:
    """Give the expression back when it can be compiled and calls only functions that there are.

    Raises:
        ValueError: It cannot; the message says where.
    """
    try:
        parsed = compiled(expression).parsed
    except (JMESPathError, RecursionError) as error:
        reason = " ".join(str(error).split("\n")[0].split()) or "nested too deeply"
        raise ValueError(f"is no JMESPath: {reason}") from None
    unknown = sorted(_called(parsed) - _FUNCTIONS.FUNCTION_TABLE.keys())
    if unknown:
        raise ValueError(f"there is no function {unknown[0]}()")
    return expression


def _called(node: Any) -> set[str]:
    """The functions that an expression calls."""
    names = {node["value"]} if node["type"] == "function_expression" else set()
    return names.union(*(_called(child) for child in node["children"] if isinstance(child, dict)))


def search(expression: str, value: Any) -> Any:
    """Apply an expression to a value; null is None.

    Raises:
        ExpressionError: A function was given what it cannot work on.
    """
    try:
        return compiled(expression).search(value, _OPTIONS)
    except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, AttributeError):
        raise ExpressionError("cannot be applied to this value") from None
