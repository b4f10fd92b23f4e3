"""From rows to series. Groups that have ever received a case show their zeros, so that an alert never meets a gap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import Metric

from services.metrics import metrics as series
from services.metrics.collectors.rows import Backlog, Row, Turnaround
from services.metrics.domain.figures import PERCENTILES
from services.metrics.domain.tallies import MILLIONTHS, OTHER, RATIO_BUCKETS
from shared.calendar import LimitUnit, load_calendar, local_date
from shared.catalogue import Catalogue
from shared.contracts.words import Channel, Status, Timeliness

Group = tuple[str, str, str]
"""Agency, kind and field."""

BACKLOG_STATUSES = (
    Status.ACCEPTED, Status.IN_PROCESS, Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED, Status.STOPPED,
)  # fmt: skip
NOTIFICATION_CHANNELS = ("file", "email", "sms", "zalo", "post", "webhook")
NOTIFICATION_OUTCOMES = ("sent", "delivered", "failed", "undeliverable")


def backlog_families(backlog: Backlog) -> tuple[Metric, ...]:
    """Every series of one reading of what moves with each case."""
    groups = sorted({_group(row) for row in backlog.tallies if row["series"] == "received"})
    return (
        *_backlog(backlog.open, groups),
        *_facts(backlog.tallies, groups),
        series.limit_ratio_family(_limit_ratios(backlog.tallies)),
        series.CLOCK.family(((row["agency"],), row["at"].timestamp()) for row in backlog.clocks),
    )


def turnaround_families(turnaround: Turnaround, catalogue: Catalogue) -> tuple[Metric, ...]:
    """Every series of one reading of what looks back over every case."""
    return (
        *_turnaround(turnaround.turnaround),
        series.FIRST_TIME_VALID.family(_first_time_valid(turnaround.received)),
        series.RECEIVED_BY.family(_channel_ratios(turnaround.received)),
        series.RETURNED_BY.family(_channel_ratios(turnaround.returned)),
        *_procedures(turnaround.procedures, catalogue),
        series.AGENCY.family(((row["agency"], "true" if row["simulated"] else "false"), 1) for row in turnaround.agencies),
    )


def _group(row: Row) -> Group:
    return row["agency"], row["kind"], row["field"]


def _word(code: int | None) -> str:
    return Status(code).name.lower() if code in BACKLOG_STATUSES else OTHER


def _backlog(rows: Sequence[Row], groups: Sequence[Group]) -> Iterator[Metric]:
    stock: Counter[tuple[str, ...]] = Counter({(*group, _word(code)): 0 for group in groups for code in BACKLOG_STATUSES})
    overdue: Counter[tuple[str, ...]] = Counter({(*g, limit): 0 for g in groups for limit in ("committed", "statutory")})
    due_soon: Counter[tuple[str, ...]] = Counter(dict.fromkeys(groups, 0))
    without: Counter[tuple[str, ...]] = Counter(dict.fromkeys(groups, 0))
    oldest: dict[Group, datetime] = {}
    for row in rows:
        group = _group(row)
        stock[*group, _word(row["status"])] += row["cases"]
        overdue[*group, "committed"] += row["overdue"]
        overdue[*group, "statutory"] += row["overdue_statutory"]
        due_soon[group] += row["due_soon"]
        without[group] += row["without_due_date"]
        oldest[group] = min(oldest.get(group, row["oldest_at"]), row["oldest_at"])
    yield series.BACKLOG.family(stock.items())
    yield series.OVERDUE.family(overdue.items())
    yield series.DUE_SOON.family(due_soon.items())
    yield series.WITHOUT_DUE_DATE.family(without.items())
    yield series.OLDEST.family((group, at.timestamp()) for group, at in oldest.items())


def _turnaround(rows: Sequence[Row]) -> Iterator[Metric]:
    measured = [row for row in rows if row["measured"]]
    yield series.TURNAROUND_MEAN.family(((*_group(row), row["span"]), row["mean"]) for row in measured)
    yield series.TURNAROUND_PERCENTILE.family(_shares(measured, "shares"))
    yield series.WORKING_MEAN.family(((*_group(row), row["span"]), row["working_mean"]) for row in measured)
    yield series.WORKING_PERCENTILE.family(_shares(measured, "working_shares"))
    yield series.ON_TIME.family(
        ((*_group(row), row["span"]), row["on_time"] / (row["on_time"] + row["late"]))
        for row in rows
        if row["on_time"] + row["late"]
    )


def _shares(rows: Sequence[Row], column: str) -> Iterator[tuple[tuple[str, ...], float]]:
    for row in rows:
        for share, value in zip(PERCENTILES, row[column], strict=True):
            yield (*_group(row), f"{share * 100:g}", row["span"]), value


def _channel(word: str | None) -> str:
    return word if word in set(Channel) else OTHER


def _channel_ratios(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, ...], float]]:
    cases: Counter[tuple[str, ...]] = Counter()
    totals: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        place = (*_group(row), row["span"])
        totals[place] += row["cases"]
        cases[*place, _channel(row["channel"])] += row["cases"]
    for *group, window in totals:
        for channel in Channel:
            yield (*group, channel, window), cases[*group, window, channel] / totals[*group, window]


def _first_time_valid(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Of the cases of which it is known."""
    judged: Counter[tuple[str, ...]] = Counter()
    valid: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        place = (*_group(row), row["span"])
        judged[place] += row["judged"]
        valid[place] += row["valid"]
    return ((place, valid[place] / total) for place, total in judged.items() if total)


def _facts(rows: Sequence[Row], groups: Sequence[Group]) -> Iterator[Metric]:
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for row in rows:
        counts[row["series"]][*_group(row), row["label"]] += row["count"]
    for facts, name, words in (
        (series.RECEIVED, "received", Channel),
        (series.RETURNED, "returned", Channel),
        (series.RESOLVED, "resolved", Timeliness),
    ):
        zeros: dict[tuple[str, ...], int] = {(*group, word): 0 for group in groups for word in words}
        yield facts.family((zeros | counts[name]).items())
    for facts, name in ((series.REOPENED, "reopened"), (series.CORRECTED, "corrected"), (series.DUPLICATES, "duplicate")):
        width = len(facts.labels)
        plain: Counter[tuple[str, ...]] = Counter(dict.fromkeys((group[:width] for group in groups), 0))
        for labels, count in counts[name].items():
            plain[labels[:width]] += count
        yield facts.family(plain.items())
    yield series.NOTIFICATIONS.family(_notifications(counts["notifications"]).items())


def _notifications(counts: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    closed: Counter[tuple[str, ...]] = Counter()
    for (*group, label), count in counts.items():
        channel, _, outcome = label.partition("/")
        known = channel if channel in NOTIFICATION_CHANNELS else OTHER
        closed[*group, known, outcome if outcome in NOTIFICATION_OUTCOMES else OTHER] += count
    return closed


def _limit_ratios(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, ...], list[tuple[str, float]], float]]:
    counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        if row["series"] == "limit_ratio":
            place: tuple[str, ...] = (*_group(row), row["label"])
            counts[place][row["bucket"]] += row["count"]
            sums[place] += row["sum_millionths"]
    for labels, by_bucket in counts.items():
        yield labels, _cumulative(by_bucket), sums[labels] / MILLIONTHS


def _cumulative(by_bucket: Counter[str]) -> list[tuple[str, float]]:
    total, buckets = 0, []
    for bucket in (*map(str, RATIO_BUCKETS), "+Inf"):
        total += by_bucket[bucket]
        buckets.append((bucket, float(total)))
    return buckets


def _procedures(rows: Sequence[Row], catalogue: Catalogue) -> Iterator[Metric]:
    if not rows:
        return
    known = [row for row in rows if row["procedure"] in catalogue.of(row["agency"])]
    yield series.PROCEDURE_BACKLOG.family(((row["agency"], row["procedure"]), row["open"]) for row in known)
    yield series.PROCEDURE_MEAN.family(
        ((row["agency"], row["procedure"]), row["mean"]) for row in known if row["mean"] is not None
    )
    yield series.PROCEDURE_LIMIT.family(_limits(known, catalogue))


def _limits(rows: Iterable[Row], catalogue: Catalogue) -> Iterator[tuple[tuple[str, ...], float]]:
    """Limits in working days only: calendar days and hours hold no fixed working time."""
    day = load_calendar().hours.seconds_per_day
    for row in rows:
        version = catalogue.of(row["agency"]).version_at(row["procedure"], local_date(row["clock"]))
        limit = version.due_limit if version else None
        if limit is not None and limit.unit is LimitUnit.WORKING_DAYS:
            yield (row["agency"], row["procedure"]), limit.count * day
