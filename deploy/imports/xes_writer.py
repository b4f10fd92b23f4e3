"""Writes an XES 1.0 log (IEEE 1849), trace by trace, plain or gzip; the file appears when it is whole."""

from __future__ import annotations

import contextlib
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Final, cast
from xml.sax.saxutils import quoteattr

_NAMESPACE: Final = "http://www.xes-standard.org/"
_EXTENSIONS: Final = (("Concept", "concept"), ("Lifecycle", "lifecycle"), ("Organizational", "org"), ("Time", "time"))
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNKNOWN: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """What was done, when, by which unit."""

    activity: str
    at: datetime
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedCase:
    """A trace: its own attributes, all of them texts, and its events in order."""

    attributes: dict[str, str]
    events: Sequence[LoggedEvent]


class XesWriter:
    """Takes one trace after the other."""

    def __init__(self, out: IO[str]) -> None:
        """Write the head at once."""
        self._out = out
        extensions = (
            f'  <extension name="{name}" prefix="{prefix}" uri="{_NAMESPACE}{prefix}.xesext"/>\n' for name, prefix in _EXTENSIONS
        )
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write(f'<log xes.version="1.0" xes.features="" xmlns="{_NAMESPACE}">\n')
        out.writelines(extensions)
        out.write(
            '  <global scope="trace">\n    <string key="concept:name" value="UNKNOWN"/>\n  </global>\n'
            '  <global scope="event">\n    <string key="concept:name" value="UNKNOWN"/>\n'
            '    <string key="lifecycle:transition" value="complete"/>\n'
            '    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>\n  </global>\n'
            '  <classifier name="Activity" keys="concept:name"/>\n'
        )

    def write(self, case: LoggedCase) -> None:
        """Write one trace."""
        self._out.write("  <trace>\n")
        self._out.writelines(f"    {_string(key, value)}\n" for key, value in case.attributes.items())
        for event in case.events:
            unit = _string("org:group", event.unit) if event.unit else ""
            at = event.at.astimezone(UTC).isoformat(timespec="microseconds" if event.at.microsecond % 1000 else "milliseconds")
            self._out.write(
                f"    <event>{_string('concept:name', event.activity)}{_string('lifecycle:transition', 'complete')}{unit}"
                f'<date key="time:timestamp" value="{at}"/></event>\n'
            )
        self._out.write("  </trace>\n")


def _string(key: str, value: str) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(_NOT_IN_XML.sub(_UNKNOWN, value))}/>"


@contextlib.contextmanager
def xes_file(path: Path) -> Iterator[XesWriter]:
    """A writer of a file, packed when its name ends in .gz; an export that fails leaves what was there. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            packed = path.suffix == ".gz"
            stream = cast("IO[bytes]", gzip.GzipFile("", "wb", 6, file, mtime=0)) if packed else file
            with TextIOWrapper(stream, encoding="utf-8", newline="\n") as out:
                yield XesWriter(out)
                out.write("</log>\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
