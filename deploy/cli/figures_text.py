"""Figures for people: an agency's stock, its tasks beside it, how long things took, and the limits in force."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from deploy.cli.output import table
from shared.calendar import ZONE

SHARES = ("0.5", "0.9", "0.99")
STOCK = {
    "received": "received", "resolved": "resolved", "open": "open", "overdue": "overdue", "overdue by law": "overdue_statutory",
    "due today": "due_soon", "no due date": "without_due_date", "withdrawn": "left",
}  # fmt: skip
TASKS = {
    "assigned": "assigned", "done": "done", "open": "open", "overdue": "overdue", "no due date": "without_due_date",
    "milestones": "milestones",
}  # fmt: skip
UNITS = {"working_days": "wd", "calendar_days": "days", "hours": "h"}
"""Units of limits, in short."""


def as_text(content: dict[str, Any]) -> str:
    """An agency's figures. Tasks are told apart: no applicant filed them."""
    kinds = {kind: row for kind, row in content["by_kind"].items() if kind != "task"}
    stock = [["", *STOCK]]
    stock += [[kind, *(f"{row[name]:,}" for name in STOCK.values())] for kind, row in {"all": content, **kinds}.items()]
    spans = [["", "cases", "mean", *(f"{float(share):.0%}" for share in SHARES)]]
    spans.append(["turnaround", *_span(content["turnaround"], 86400)])
    spans.append(["in working days of 8 h", *_span(content["working_turnaround"], 8 * 3600)])
    spans.append(["first to last event", *_span(content["log_span"], 86400)])
    tasks, ratings = _tasks(content.get("tasks", [])), _ratings(content.get("satisfaction"))
    return "\n\n".join((_head(content), table(stock), *tasks, table(spans), *ratings))


def _ratings(said: dict[str, Any] | None) -> list[str]:
    """What citizens said of the answers, once anybody has."""
    return [f"rated by citizens: {said['ratings']:,}, mean {said['mean_score']:.2f} of 5"] if said and said["ratings"] else []


def _head(content: dict[str, Any]) -> str:
    clock = content["clock"]
    head = f"{content['agency']}   clock {clock['mode']}, {_local(clock['at'])}"
    if content.get("simulated"):
        head += "   SIMULATED / MÔ PHỎNG"
    if content.get("as_of"):
        head += f"   as of {_local(content['as_of'])}"
    return head


def _local(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(ZONE):%Y-%m-%d %H:%M}"


def _tasks(tasks: list[dict[str, Any]]) -> list[str]:
    if not tasks:
        return []
    rows = [["assigned by the city", *TASKS, "on schedule"]]
    for each in tasks:
        ratio = each["on_schedule_ratio"]
        rows.append([each["field"], *(f"{each[name]:,}" for name in TASKS.values()), "-" if ratio is None else f"{ratio:.0%}"])
    note = "on schedule -: no deadline is known" if any(each["on_schedule_ratio"] is None for each in tasks) else ""
    return ["\n".join(filter(None, (table(rows), note)))]


def _span(span: dict[str, Any], day: float) -> list[str]:
    values = [span["mean_seconds"], *(span["percentiles"].get(share) for share in SHARES)]
    return [f"{span['cases']:,}", *("-" if value is None else _days(value, day) for value in values)]


def _days(seconds: float, day: float) -> str:
    return f"{seconds / day:.2f} d" if seconds >= day else str(timedelta(seconds=round(seconds)))


def procedures_as_text(content: dict[str, Any]) -> str:
    """Procedures by the version of their limits; means in working days of eight hours."""
    heads = ["procedure", "version", "by law", "committed", "in force", "received", "resolved", "open", "mean", "on time", "late"]
    rows = [heads]
    for each in content["items"]:
        limits = [_limit(each[name]) for name in ("statutory", "committed", "in_force")]
        counts = [f"{each[name]:,}" for name in ("received", "resolved", "open")]
        mean = each["mean_working_days"]
        ends = ["-" if mean is None else f"{mean:.2f} wd", f"{each['on_time']:,}", f"{each['late']:,}"]
        rows.append([each["procedure"], str(each["version"] or "-"), *limits, *counts, *ends])
    return f"{_head(content)}\n\n{table(rows)}\n\nwd: working days of 8 h; -: not known"


def _limit(limit: dict[str, Any] | None) -> str:
    return "-" if limit is None else f"{limit['count']} {UNITS.get(limit['unit'], limit['unit'])}"
