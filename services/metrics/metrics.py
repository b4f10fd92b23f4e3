"""Every series of the metrics service: name, help, labels. Business series come from the database, `collectors` fills them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from shared.contracts.events import INTAKE, NOTIFICATION, PROCESSING

CASE = ("agency", "kind", "field")
Labels = Sequence[str]


@dataclass(frozen=True, slots=True)
class Stock:
    """A gauge that is read from the database."""

    name: str
    says: str
    labels: tuple[str, ...] = CASE

    def family(self, samples: Iterable[tuple[Labels, float]]) -> GaugeMetricFamily:
        """The series with these values."""
        family = GaugeMetricFamily(self.name, self.says, labels=self.labels)
        for labels, value in samples:
            family.add_metric(labels, value)
        return family


@dataclass(frozen=True, slots=True)
class Facts:
    """A counter of facts, read from the tallies; its name ends in `_total` where it is shown."""

    name: str
    says: str
    labels: tuple[str, ...] = CASE

    def family(self, samples: Iterable[tuple[Labels, float]]) -> CounterMetricFamily:
        """The series with these values."""
        family = CounterMetricFamily(self.name, self.says, labels=self.labels)
        for labels, value in samples:
            family.add_metric(labels, value)
        return family


BACKLOG = Stock("motcua_case_backlog", "Open cases by national status.", (*CASE, "status"))
OVERDUE = Stock("motcua_case_backlog_overdue", "Open cases past the due date of a limit.", (*CASE, "limit"))
DUE_SOON = Stock("motcua_case_backlog_due_soon", "Open cases on the last day of their limit.")
WITHOUT_DUE_DATE = Stock("motcua_case_backlog_without_due_date", "Open cases whose procedure has no known limit.")
OLDEST = Stock("motcua_case_backlog_oldest_timestamp_seconds", "Acceptance of the oldest open case, Unix time.")

WINDOWED = (*CASE, "window")
SHARES = (*CASE, "percentile", "window")
TURNAROUND_PERCENTILE = Stock(
    "motcua_case_turnaround_percentile_seconds", "Time from acceptance to resolution, a percentile.", SHARES
)
TURNAROUND_MEAN = Stock("motcua_case_turnaround_mean_seconds", "Time from acceptance to resolution, the mean.", WINDOWED)
WORKING_PERCENTILE = Stock(
    "motcua_case_turnaround_working_percentile_seconds",
    "Counter hours from acceptance to resolution, a percentile; 8 hours are a working day.",
    SHARES,
)
WORKING_MEAN = Stock(
    "motcua_case_turnaround_working_mean_seconds",
    "Counter hours from acceptance to resolution, the mean; 8 hours are a working day.",
    WINDOWED,
)
ON_TIME = Stock("motcua_case_on_time_ratio", "Resolved by the due date, of all resolved that had one.", WINDOWED)
FIRST_TIME_VALID = Stock(
    "motcua_case_first_time_valid_ratio",
    "Share of the received cases whose documents were complete and correct at the first filing, of those where it is known.",
    WINDOWED,
)
RECEIVED_BY = Stock(
    "motcua_case_received_by_channel_ratio",
    "Share of a channel in the received cases.",
    (*CASE, "channel", "window"),
)
RETURNED_BY = Stock(
    "motcua_case_returned_by_channel_ratio",
    "Share of a channel in the returned results.",
    (*CASE, "channel", "window"),
)

RECEIVED = Facts("motcua_cases_received", "Cases accepted for the first time.", (*CASE, "channel"))
RETURNED = Facts("motcua_cases_returned", "Results handed over.", (*CASE, "channel"))
RESOLVED = Facts("motcua_cases_resolved", "Resolutions, by their date against the due date.", (*CASE, "timeliness"))
REOPENED = Facts("motcua_cases_reopened", "Resolved cases that were opened again.")
CORRECTED = Facts("motcua_cases_corrected", "Facts that were corrected.")
DUPLICATES = Facts(
    "motcua_cases_duplicate_suspected",
    "Cases that the same person may have filed twice; before their acceptance, so without a field.",
    ("agency", "kind"),
)
NOTIFICATIONS = Facts("motcua_notifications", "What became of messages.", (*CASE, "channel", "outcome"))

PROCEDURE = ("agency", "procedure")
PROCEDURE_BACKLOG = Stock("motcua_procedure_backlog", "Open cases of a procedure.", PROCEDURE)
PROCEDURE_MEAN = Stock(
    "motcua_procedure_turnaround_mean_seconds",
    "Time from acceptance to resolution of a procedure, the mean.",
    PROCEDURE,
)
PROCEDURE_LIMIT = Stock("motcua_procedure_limit_working_seconds", "Limit in force in working days, 8 hours each.", PROCEDURE)

CLOCK = Stock("motcua_clock_timestamp_seconds", "Where an agency's business clock stands, Unix time.", ("agency",))
AGENCY = Stock("motcua_agency_info", "Agencies, and whether their cases are simulated.", ("agency", "simulated"))
UPDATED = Stock(
    "motcua_projection_updated_timestamp_seconds",
    "Newest change of the projection that a reading of it holds, Unix time; there is one of the cases and one of turnaround.",
    ("projection",),
)

SOURCE = ("source",)
FEED_LAST_EVENT = Stock("motcua_feed_last_event_timestamp_seconds", "When a feed was last heard, Unix time.", SOURCE)
FEED_EXPECTED_SILENCE = Stock(
    "motcua_feed_expected_silence_seconds", "The longest silence of a feed that is usual now, by its mapping.", SOURCE
)
FEED_MISSING = Stock("motcua_feed_missing_events", "Numbers that a source passed over in counting its events.", SOURCE)
FEED_DIFFERENCE = Stock(
    "motcua_feed_reported_difference_events", "What a source says that it sent in an hour, less what was taken of it.", SOURCE
)
FEED_EVENTS = Facts("motcua_feed_events", "Events of a feed by what became of them.", (*SOURCE, "outcome"))
FEED_LATE = Facts("motcua_feed_late_events", "Events about calls that had been stated already; they changed nothing.", SOURCE)
HOTLINE_CALLS = Facts("motcua_hotline_calls", "Calls that ended.", (*SOURCE, "outcome"))
HOTLINE_WAIT = "motcua_hotline_wait_seconds"


def hotline_wait_family(samples: Iterable[tuple[Labels, Sequence[tuple[str, float]], float]]) -> HistogramMetricFamily:
    """The histogram of callers' waiting, of (labels, cumulative buckets, sum)."""
    says = "How long callers waited, until the answer or until they gave up."
    family = HistogramMetricFamily(HOTLINE_WAIT, says, labels=(*SOURCE, "outcome"))
    for labels, buckets, total in samples:
        family.add_metric(labels, buckets, total)
    return family


LIMIT_RATIO = "motcua_case_turnaround_limit_ratio"
LIMIT_RATIO_LABELS = (*CASE, "limit")


def limit_ratio_family(
    samples: Iterable[tuple[Labels, Sequence[tuple[str, float]], float]],
) -> HistogramMetricFamily:
    """The histogram of the limit's use, of (labels, cumulative buckets, sum)."""
    says = "Share of the time limit that a resolution used, in working time."
    family = HistogramMetricFamily(LIMIT_RATIO, says, labels=LIMIT_RATIO_LABELS)
    for labels, buckets, total in samples:
        family.add_metric(labels, buckets, total)
    return family


VISIBLE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)


class ServiceMetrics(Collector):
    """What this process measures itself; summed over replicas. Counted by hand: the library's own way takes 2 µs an event."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts = {stage: [0] * (len(VISIBLE_BUCKETS) + 1) for stage in (INTAKE, PROCESSING, NOTIFICATION, "other")}
        self._sums = dict.fromkeys(self._counts, 0.0)
        registry.register(self)

    def visible_seconds(self, stage: str, seconds: float) -> None:
        """One live fact became visible; clocks of two machines may differ, so less than nothing is nothing."""
        known, least = stage if stage in self._counts else "other", max(seconds, 0.0)
        self._counts[known][bisect_left(VISIBLE_BUCKETS, least)] += 1
        self._sums[known] += least

    def collect(self) -> Iterator[Metric]:
        """The histogram, by the service that stated the facts."""
        says = "From writing a live fact to its place in the projection."
        family = HistogramMetricFamily("motcua_event_visible_seconds", says, labels=["stage"])
        limits = [*map(str, VISIBLE_BUCKETS), "+Inf"]
        for stage, counts in self._counts.items():
            family.add_metric([stage], [*zip(limits, accumulate(counts), strict=True)], self._sums[stage])
        yield family
