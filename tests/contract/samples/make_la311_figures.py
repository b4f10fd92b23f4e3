"""Requests, closed, open and the median time to close by source of the 311 hotline's table; made `la311-figures.json`.

Nothing but the standard library, and nothing of the product, so that both can be compared. To run again:
    python make_la311_figures.py la311_2018.csv.gz > la311-figures.json
Local times are those of Los Angeles; of one that came twice the earlier is taken. A request that ended before it was created is
left out. Cancelled and referred out are not closed. The median is in seconds, of an even number the mean of the middle two.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

TIMES, ZONE = "%m/%d/%Y %I:%M:%S %p", ZoneInfo("America/Los_Angeles")


def moment(text: str) -> datetime:
    """A local time as UTC."""
    return datetime.strptime(text, TIMES).replace(tzinfo=ZONE).astimezone(UTC)


def figures(path: Path) -> dict[str, Any]:
    """By source, and all of them together under the name ""."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    spans: dict[str, list[float]] = {}
    requests: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(text)):
        seconds = (moment(row["ClosedDate"]) - moment(row["CreatedDate"])).total_seconds()
        if seconds < 0:
            continue
        for source in (row["RequestSource"], ""):
            requests[source] = requests.get(source, 0) + 1
            if row["Status"] == "Closed":
                spans.setdefault(source, []).append(seconds)
    return {
        source: {
            "requests": requests[source],
            "closed": len(spans.get(source, [])),
            "open": requests[source] - len(spans.get(source, [])),
            "median_seconds": statistics.median(spans[source]) if source in spans else None,
        }
        for source in sorted(requests)
    }


if __name__ == "__main__":
    print(json.dumps(figures(Path(sys.argv[1])), indent=2))
