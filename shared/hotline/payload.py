"""A vendor's body as JSON, strictly: what two readers may read differently is refused (RFC 8259 §4, §6 and §8.1)."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from shared.hotline.rules import Rule, UnfitError

LARGEST_PAYLOAD: Final = 256 * 1024
"""Bytes of one body."""

DEEPEST: Final = 32
"""Objects and lists inside each other."""


def read_payload(payload: bytes) -> Any:
    """The values of a body.

    Raises:
        UnfitError: It is too large or too deep, is no JSON in UTF-8, or can be read in two ways.
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise UnfitError(Rule.TOO_LARGE)
    try:
        value = _STRICT.decode(payload.decode())
    except RecursionError:
        raise UnfitError(Rule.TOO_DEEP) from None
    except ValueError:
        raise UnfitError(Rule.NOT_JSON) from None
    if payload.count(b"{") + payload.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise UnfitError(Rule.TOO_DEEP)
    return value


def _depth(value: Any) -> int:
    """How many objects and lists stand inside each other, counted until there are too many."""
    depth, level = 0, [value]
    while depth <= DEEPEST and (level := [one for one in level if isinstance(one, dict | list)]):
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise UnfitError(Rule.REPEATED_NAME)
    return values


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnfitError(Rule.NOT_A_NUMBER)
    return number


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_finite, parse_float=_finite)
