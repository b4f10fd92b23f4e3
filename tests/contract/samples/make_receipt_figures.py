"""Figures of the receipt log as PM4Py computes them; made `receipt-figures.json`.

PM4Py is no dependency of the product. To run again, in an environment of its own that has pm4py:
    python make_receipt_figures.py <receipt.xes.gz> > receipt-figures.json
Durations are seconds from a case's first to its last event; percentiles are interpolated linearly.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module, metadata
from typing import Any

PERCENTILES = (50, 90, 99)


def figures(pm4py: Any, numpy: Any, log: Any) -> dict[str, float]:
    """Count, mean and percentiles of the log's cases."""
    durations = pm4py.get_all_case_durations(log)
    return {
        "cases": len(durations),
        "events": len(log),
        "mean_seconds": float(numpy.mean(durations)),
        **{f"p{rank}_seconds": float(numpy.percentile(durations, rank)) for rank in PERCENTILES},
        "longest_seconds": float(max(durations)),
    }


def main(path: str) -> None:
    """Print the figures of all cases, and of those with the attribute `enddate`."""
    pm4py, numpy = import_module("pm4py"), import_module("numpy")
    log = pm4py.read_xes(path)
    channels = log.drop_duplicates("case:concept:name")["case:channel"].value_counts()
    document = {
        "source": "CoSeLoG project, doi 10.4121/uuid:a07386a5-7be3-4367-9535-70bc9e77dbe6, receipt phase",
        "made_with": f"pm4py {metadata.version('pm4py')}",
        "interpolation": "linear",
        "channels": {name: int(count) for name, count in sorted(channels.items())},
        "every_case": figures(pm4py, numpy, log),
        "with_enddate": figures(pm4py, numpy, log[log["case:enddate"].notna()]),
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main(sys.argv[1])
