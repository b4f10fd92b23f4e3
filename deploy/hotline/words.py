"""What the commands of the hotline tell people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.cli.output import table
from shared.calendar import ZONE
from shared.hotline.reading import Fault

Told = dict[str, Any]


def checked_words(told: Told) -> str:
    """A mapping that was checked: what each sample becomes, then each fault as file:line: rule."""
    lines = []
    for sample in told["samples"]:
        lines.append(Path(sample["file"]).name)
        lines += [f"  {_becomes(event)}" for event in sample["events"]]
    faults = told["faults"]
    lines += [str(Fault(**each)) for each in faults]
    counts = (_number(len(faults), "fault") if faults else "no fault", _number(len(told["samples"]), "sample"))
    return "\n".join([*lines, f"{Path(told['mapping']).name}: {', '.join(counts)}"])


def sent_words(told: Told) -> str:
    """What intake answered to each payload, and how many events had each outcome."""
    lines = [line for answer in told["answers"] for line in _answered(answer)]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in told["outcomes"].items())
    would = " (a dry run: nothing was stored)" if told["dry_run"] else ""
    return "\n".join([*lines, f"{told['sent']} sent: {counts}{would}"])


def replayed_words(told: Told) -> str:
    """What became of refused payloads that were tried again."""
    counted = Counter(each["outcome"] for each in told["results"])
    counts = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
    return f"tried again: {counts}" if counts else "nothing was refused in the last 24 hours"


def log_words(told: Told) -> str:
    """What became of a source's events: type and note, and of a refused one the fields and rules."""
    rows = [["received", "door", "outcome", "event", "what"]]
    for each in told["items"]:
        faults = [f"{fault['field']}: {fault['rule']}" for fault in each["faults"] or ()]
        what = "; ".join(filter(None, (each["type"], each["note"], *faults)))
        rows.append([_local(each["received_at"]), each["door"], each["outcome"], each.get("event_id") or "(no id)", what])
    return table(rows) if told["items"] else "nothing was heard of this source in the 14 days that the log is kept"


def _becomes(event: Told) -> str:
    head = f"{event['event_id'] or '(no id)'}  {event['becomes']}"
    match event["becomes"]:
        case "refused":
            return "; ".join([head, *(f"{each['field']}: {each['rule']}" for each in event["wrong"])])
        case "nothing":
            return f"{head} ({event['reason']})"
        case _:
            sequence = f"  number {event['sequence']}" if "sequence" in event else ""
            return f"{head}  {_local(event['occurred_at'])}  {_flat(event['body'])}{sequence}"


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _local(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def _flat(body: Told) -> str:
    return ", ".join(f"{name} {f'({_flat(value)})' if isinstance(value, dict) else value}" for name, value in body.items())


def _answered(answer: Told) -> Iterator[str]:
    head = f"{answer['number']}: {answer['status']}"
    if "problem" in answer:
        problem = answer["problem"]
        yield ": ".join(filter(None, (f"{head} {problem.get('title', '')}", problem.get("reason") or problem.get("detail"))))
        for error in problem.get("errors", ()):
            yield f"   {error['pointer'].removeprefix('/')}: {error['rule']}"
    for each in answer.get("results", ()):
        case = f"  case {each['case_id']}" if each.get("case_id") else ""
        note = f"  {each['note']}" if each.get("note") else ""
        faults = "".join(f"  {fault['field']}: {fault['rule']}" for fault in each.get("faults") or ())
        yield f"{head} {each['outcome']}  {each.get('event_id') or '(no id)'}{case}{note}{faults}"
