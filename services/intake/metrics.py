"""Intake's own series: what became of submissions, and how its commits go."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.intake.group_commit import UnavailableError
from shared.contracts.words import Lane
from shared.service.rate import Whose


class IntakeMetrics:
    """Series of one intake process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series."""
        self.submissions = Counter(
            "motcua_intake_submissions",
            "Submissions by lane, and by what became of them.",
            ["lane", "outcome"],
            registry=registry,
        )
        self.group_cases = Histogram(
            "motcua_intake_group_cases",
            "Cases that shared one transaction.",
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "motcua_intake_commit_seconds",
            "Time of one transaction, from its begin to its commit.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.refused_lookups = Counter(
            "motcua_intake_refused_lookups",
            "Public look-ups refused, by whose allowance was used up: the client's or the service's.",
            ["whose"],
            registry=registry,
        )
        for whose in Whose:
            self.refused_lookups.labels(whose)

        self._series: dict[tuple[Lane, str], Counter] = {}

    def count(self, lane: Lane, outcome: str) -> None:
        """One submission was answered."""
        if (series := self._series.get((lane, outcome))) is None:
            series = self._series[lane, outcome] = self.submissions.labels(lane.name.lower(), outcome)
        series.inc()

    def count_failure(self, lane: Lane, error: BaseException) -> None:
        """One valid submission was not committed: for a reason that passes, or for good."""
        self.count(lane, "unavailable" if isinstance(error, UnavailableError) else "failed")
