"""Figures of the three shipped logs as PM4Py computes them; made `log-figures.json`.

PM4Py is no dependency of the product. To run again, in an environment of its own that has pm4py:
    python make_log_figures.py <folder of the logs> > log-figures.json
Durations are seconds from a case's first to its last event; percentiles are interpolated linearly. A request of the hotline has
an event when it was created, and one when it ended, named by its status; one that ended before it was created is left out.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

PERCENTILES = (50, 90, 99)
TIMES = "%m/%d/%Y %I:%M:%S %p"


def figures(log: Any, *, closed: int) -> dict[str, Any]:
    """Counts, mean and percentiles of the log's cases, each activity's number, and how many variants so many cases took."""
    pm4py, numpy = import_module("pm4py"), import_module("numpy")
    durations = pm4py.get_all_case_durations(log)
    variants = {" > ".join(way): int(count) for way, count in pm4py.get_variants(log).items()}
    return {
        "cases": len(durations),
        "events": len(log),
        "closed": closed,
        "activities": {name: int(count) for name, count in sorted(pm4py.get_event_attribute_values(log, "concept:name").items())},
        "variants": len(variants),
        "variants_by_cases": {str(cases): count for cases, count in sorted(Counter(variants.values()).items())},
        "mean_seconds": float(numpy.mean(durations)),
        **{f"p{rank}_seconds": float(numpy.percentile(durations, rank)) for rank in PERCENTILES},
        "longest_seconds": float(max(durations)),
    }


def cases_with(log: Any, column: str, value: str) -> int:
    """How many cases have this value."""
    return int((log.drop_duplicates("case:concept:name")[column] == value).sum())


def hotline(path: Path) -> dict[str, Any]:
    """The log of a table that has a row for each request."""
    pm4py, pandas = import_module("pm4py"), import_module("pandas")
    rows = pandas.read_csv(path, dtype=str)
    for name in ("CreatedDate", "ClosedDate"):
        rows[name] = pandas.to_datetime(rows[name], format=TIMES).dt.tz_localize("America/Los_Angeles")
    wrong = rows["ClosedDate"] < rows["CreatedDate"]
    kept = rows[~wrong]
    columns = ["case:concept:name", "concept:name", "time:timestamp"]
    created = kept.assign(activity="SR Created")[["SRNumber", "activity", "CreatedDate"]].set_axis(columns, axis=1)
    ended = kept[["SRNumber", "Status", "ClosedDate"]].set_axis(columns, axis=1)
    log = pm4py.format_dataframe(pandas.concat([created, ended], ignore_index=True))
    spans = (kept["ClosedDate"] - kept["CreatedDate"]).dt.total_seconds()[kept["Status"] == "Closed"]
    found = figures(log, closed=int((kept["Status"] == "Closed").sum()))
    return found | {"left_out": int(wrong.sum()), "closed_mean_seconds": float(spans.mean())}


def main(folder: Path) -> None:
    """Print the figures of the logs."""
    pm4py = import_module("pm4py")
    receipt, building = (pm4py.read_xes(str(folder / f"{name}.xes.gz")) for name in ("receipt", "BPIC15_1"))
    document = {
        "made_with": f"pm4py {metadata.version('pm4py')}",
        "interpolation": "linear",
        "receipt": figures(receipt, closed=receipt["case:concept:name"].nunique()),
        "BPIC15_1": figures(building, closed=cases_with(building, "case:caseStatus", "G")),
        "la311_2018": hotline(folder / "la311_2018.csv.gz"),
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
