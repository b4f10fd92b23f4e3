"""Refuses JSON that two readers may read differently: a name given twice, NaN and Infinity (RFC 8259 §4 and §6).

The models' own reader takes the last of two equal names and lets NaN pass in fields it ignores.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel


def check_json(value: bytes, body: BaseModel) -> None:
    """Look again at the value of a body that was read from it. It is read a second time only if that can show anything.

    A name ends with a quotation mark and a colon, if no quotation mark is followed by a space. As many of these as fields
    were taken leave room for nothing else: no second name, no name that is ignored.

    Raises:
        ValueError: The value is ambiguous.
    """
    names = value.count(b'":')
    counted = names == len(body.model_fields_set) or names == _taken(body)
    if not counted or (len(value.split(None, 1)) > 1 and _SPACED.search(value)):
        _STRICT.decode(value.decode())


def _taken(body: BaseModel) -> int:
    """How many fields were read, those of models inside it too."""
    given, fields = body.model_fields_set, body.__dict__
    inner = [fields[name] for name in given if hasattr(fields[name], "model_fields_set")]
    return len(given) + sum(map(_taken, inner))


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("value: a name is given twice")


def _never(_constant: str) -> None:
    raise ValueError("value: NaN and Infinity are no JSON")


_SPACED = re.compile(rb'"[ \n\r\t]')
_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_never)
