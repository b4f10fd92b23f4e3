"""What a soak run leaves behind: a file with the commit, the machine, the faults by kind, and a line for each run."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.support.chaos.run import PROMISED_SECONDS, Report
from tests.support.chaos.schedule import Kind

ROOT = Path(__file__).parents[2]


def commit() -> str:
    """The commit of the checkout, and whether files differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + (" with changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def document(reports: Sequence[Report], asked: int, first: int, began: datetime) -> str:
    """The whole file."""
    minutes = (datetime.now(UTC) - began).total_seconds() / 60
    head = (
        f"# Chaos soak of {began:%Y-%m-%d %H:%M} UTC\n\n- commit: {commit()}\n"
        f"- machine: {os.cpu_count()} processors, Python {platform.python_version()}\n"
        f"- seeds: {first} to {first + asked - 1}, {len(reports)} of {asked} runs done in {minutes:.0f} minutes\n"
    )
    findings = [f"- seed {each.seed}: {line}" for each in reports for line in str(each.verdict).splitlines()]
    found = ["\n".join(["## What was found", "", *findings])] if findings else []
    return "\n\n".join([head + summary(reports, asked), *found, table(reports)]) + "\n"


def table(reports: Sequence[Report]) -> str:
    """One line a run."""
    return "\n".join([Report.HEAD, "|" + " --- |" * (Report.HEAD.count("|") - 1), *(each.row() for each in reports)])


def summary(reports: Sequence[Report], asked: int) -> str:
    """All runs in a few lines."""
    verdicts = [each.verdict for each in reports]
    recoveries = sorted(each.recovery for each in reports if each.recovery is not None)
    kinds = Counter(fault.kind for each in reports for fault in each.schedule)
    late = sum(each > PROMISED_SECONDS for each in recoveries)
    lines = [
        f"runs that came to rest: {len(recoveries)} of {asked}, {late} of them later than {PROMISED_SECONDS:.0f} s",
        (
            f"faults: {kinds.total()} ({', '.join(f'{kind} {kinds[kind]}' for kind in Kind)}); "
            f"crashes at failpoints {sum(each.crashes for each in reports)}"
        ),
        (
            f"cases {sum(each.cases for each in verdicts)}, events {sum(each.events for each in verdicts)}, messages "
            f"{sum(each.messages for each in verdicts)}, "
            f"HTTP answers and failures {sum(each.answers.total() for each in reports)}, "
            f"repeated in transport {sum(each.repeated for each in verdicts)}"
        ),
        (
            f"lost {sum(len(each.lost) for each in verdicts)}, doubled {sum(len(each.doubled) for each in verdicts)}, "
            f"otherwise wrong {sum(len(each.wrong) for each in verdicts)}"
        ),
    ]
    if recoveries:
        backlogs, busiest = [each.backlog for each in reports], [each.busiest for each in reports]
        lines += [
            f"recovery: median {median(recoveries):.1f} s, longest {recoveries[-1]:.1f} s",
            (
                f"backlog at the mending: median {median(backlogs):.0f} events, largest {max(backlogs)}; "
                f"most events within a second: median {median(busiest):.0f}, largest {max(busiest)}"
            ),
        ]
    return "\n".join(f"- {line}" for line in lines)
