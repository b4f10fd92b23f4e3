"""Records that our own client would not write, but clients in other languages can."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.producer import message_accumulator
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

BAD_NAME = "x-bad-name"
"""Stands for a header name that is no UTF-8."""


def spoil_header_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let producers write bytes that are no UTF-8 for the header name `x-bad-name`, as clients in other languages can."""
    inner = _DefaultRecordBatchBuilderPy._write_header

    def write_header(self: Any, *arguments: Any) -> None:
        self._buffer[:] = self._buffer.replace(BAD_NAME.encode(), b"\xff" * len(BAD_NAME))
        inner(self, *arguments)

    monkeypatch.setattr(_DefaultRecordBatchBuilderPy, "_write_header", write_header)
    monkeypatch.setattr(message_accumulator, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
