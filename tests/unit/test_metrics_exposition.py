"""From rows to series: zeros instead of gaps, closed label sets, cumulative buckets, limits from the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ValidationError

from services.metrics.collectors.exposition import backlog_families, turnaround_families
from services.metrics.collectors.rows import Backlog, Turnaround
from services.metrics.metrics import ServiceMetrics
from services.metrics.settings import MetricsSettings
from shared.catalogue import load_catalogue

NOW = datetime(2020, 12, 17, 10, tzinfo=UTC)
GROUP = {"agency": "ldtbxh", "kind": "dossier", "field": "children"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(**rows: list[dict[str, Any]]) -> Samples:
    """Every sample of both readings, by name and labels."""
    backlog = Backlog(NOW, **{name: rows.pop(name, []) for name in ("clocks", "open", "tallies")})
    names = ("agencies", "received", "returned", "turnaround", "procedures")
    turnaround = Turnaround(NOW, **{name: rows.pop(name, []) for name in names})
    assert not rows
    found: Samples = {}
    for family in (*backlog_families(backlog), *turnaround_families(turnaround, load_catalogue())):
        for sample in family.samples:
            place = (sample.name, frozenset(sample.labels.items()))
            assert place not in found, f"shown twice: {place}"
            found[place] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"motcua_{name}", frozenset(labels.items())]


def received(channel: str = "online", cases: int = 3, window: str = "all", valid: int = 0, unknown: int = 0) -> dict[str, Any]:
    return GROUP | {"span": window, "channel": channel, "cases": cases, "valid": valid, "judged": cases - unknown}


def tally(series: str, label: str, count: int, bucket: str = "", total: int = 0) -> dict[str, Any]:
    return GROUP | {"series": series, "label": label, "bucket": bucket, "count": count, "sum_millionths": total}


def test_a_group_whose_backlog_is_empty_shows_zeros() -> None:
    samples = samples_of(tallies=[tally("received", "online", 3)])
    for status in ("accepted", "in_process", "supplement_requested", "payment_requested", "stopped"):
        assert value(samples, "case_backlog", **GROUP, status=status) == 0
    assert value(samples, "case_backlog_overdue", **GROUP, limit="statutory") == 0
    assert value(samples, "cases_resolved_total", **GROUP, timeliness="late") == 0
    assert value(samples, "cases_reopened_total", **GROUP) == 0


def test_the_share_of_first_time_valid_cases_is_over_all_channels() -> None:
    samples = samples_of(received=[received("online", 3, valid=3), received("post", 5, valid=1)])
    assert value(samples, "case_first_time_valid_ratio", **GROUP, window="all") == 0.5


def test_cases_of_which_nobody_knows_are_left_out_of_the_share() -> None:
    samples = samples_of(received=[received("online", 3, valid=1, unknown=1), received("post", 5, unknown=5)])
    assert value(samples, "case_first_time_valid_ratio", **GROUP, window="all") == 0.5
    samples = samples_of(received=[received(unknown=3)])
    assert not [name for name, _ in samples if name == "motcua_case_first_time_valid_ratio"]


def test_suspected_duplicates_are_counted_over_all_fields_since_they_come_before_the_acceptance() -> None:
    other = tally("duplicate", "", 1) | {"field": "other"}
    samples = samples_of(received=[received()], tallies=[tally("duplicate", "", 2), other])
    assert value(samples, "cases_duplicate_suspected_total", agency="ldtbxh", kind="dossier") == 3
    only = samples_of(tallies=[tally("received", "online", 3)])
    (row,) = [labels for name, labels in only if name == "motcua_cases_duplicate_suspected_total"]
    assert dict(row) == {"agency": "ldtbxh", "kind": "dossier"}


def test_nothing_read_yet_shows_no_business_series_and_no_error() -> None:
    assert samples_of() == {}


def test_backlog_sums_statuses_and_keeps_the_oldest() -> None:
    zeros = {"overdue": 1, "overdue_statutory": 0, "due_soon": 2, "without_due_date": 0}
    rows = [
        GROUP | zeros | {"status": 2, "cases": 4, "oldest_at": NOW},
        GROUP | zeros | {"status": 4, "cases": 6, "oldest_at": datetime(2020, 11, 2, tzinfo=UTC)},
    ]
    samples = samples_of(open=rows)
    assert value(samples, "case_backlog", **GROUP, status="in_process") == 6
    assert value(samples, "case_backlog_overdue", **GROUP, limit="committed") == 2
    assert value(samples, "case_backlog_due_soon", **GROUP) == 4
    assert value(samples, "case_backlog_oldest_timestamp_seconds", **GROUP) == datetime(2020, 11, 2, tzinfo=UTC).timestamp()


def test_shares_of_channels_add_up_to_one() -> None:
    samples = samples_of(received=[received("online", 3), received("post", 1)])
    shares = {word: value(samples, "case_received_by_channel_ratio", **GROUP, channel=word, window="all") for word in
              ("counter", "online", "post", "hotline")}  # fmt: skip
    assert shares == {"counter": 0, "online": 0.75, "post": 0.25, "hotline": 0}


def test_unknown_channels_of_messages_are_shown_together_as_other() -> None:
    rows = [
        tally("notifications", "pigeon/sent", 2),
        tally("notifications", "drum/sent", 3),
        tally("notifications", "email/failed", 1),
    ]
    samples = samples_of(tallies=rows)
    assert value(samples, "notifications_total", **GROUP, channel="other", outcome="sent") == 5
    assert value(samples, "notifications_total", **GROUP, channel="email", outcome="failed") == 1


def test_the_histogram_of_the_limits_use_is_cumulative() -> None:
    rows = [
        tally("limit_ratio", "committed", 2, "0.5", 900_000),
        tally("limit_ratio", "committed", 1, "1.0", 1_000_000),
        tally("limit_ratio", "committed", 1, "+Inf", 9_000_000),
    ]
    samples = samples_of(tallies=rows)
    name, labels = "case_turnaround_limit_ratio", GROUP | {"limit": "committed"}
    expected = {"0.25": 0, "0.5": 2, "0.75": 2, "1.0": 3, "1.5": 3, "2.0": 3, "3.0": 3, "4.0": 3, "+Inf": 4}
    assert {le: value(samples, f"{name}_bucket", **labels, le=le) for le in expected} == expected
    assert (value(samples, f"{name}_count", **labels), value(samples, f"{name}_sum", **labels)) == (4, 10.9)


def test_percentiles_means_and_the_on_time_share_carry_their_window() -> None:
    row = {
        **GROUP, "field": "all", "span": "30d", "resolved": 4, "measured": 4, "on_time": 3, "late": 1, "mean": 50.0,
        "shares": [10.0, 90.0, 99.0], "working_mean": 5.0, "working_shares": [1.0, 9.0, 9.9],
    }  # fmt: skip
    samples = samples_of(turnaround=[row])
    where = {"agency": "ldtbxh", "kind": "dossier", "field": "all", "window": "30d"}
    assert value(samples, "case_turnaround_percentile_seconds", **where, percentile="99") == 99
    assert value(samples, "case_turnaround_working_percentile_seconds", **where, percentile="50") == 1
    assert value(samples, "case_turnaround_mean_seconds", **where) == 50
    assert value(samples, "case_on_time_ratio", **where) == 0.75


def test_procedures_show_the_limit_in_force_at_the_business_clock() -> None:
    row = {"agency": "ldtbxh", "procedure": "2.000189", "open": 5, "mean": 100.0, "clock": datetime(2020, 6, 30, tzinfo=UTC)}
    where = {"agency": "ldtbxh", "procedure": "2.000189"}
    assert value(samples_of(procedures=[row]), "procedure_limit_working_seconds", **where) == 10 * 8 * 3600
    later = row | {"clock": NOW}
    assert value(samples_of(procedures=[later]), "procedure_limit_working_seconds", **where) == 7 * 8 * 3600
    unknown = row | {"procedure": "no.such"}
    assert "motcua_procedure_backlog" not in {name for name, _ in samples_of(procedures=[unknown])}


def test_a_simulated_agency_says_so() -> None:
    samples = samples_of(clocks=[{"agency": "ldtbxh", "at": NOW}], agencies=[{"agency": "ldtbxh", "simulated": True}])
    assert value(samples, "agency_info", agency="ldtbxh", simulated="true") == 1
    assert value(samples, "clock_timestamp_seconds", agency="ldtbxh") == NOW.timestamp()


def test_a_fact_from_a_clock_that_is_ahead_counts_as_seen_at_once_and_stages_are_closed() -> None:
    registry = CollectorRegistry()
    metrics = ServiceMetrics(registry)
    metrics.visible_seconds("processing", -3.0)
    metrics.visible_seconds("nobody", 1.0)
    text = generate_latest(registry).decode()
    assert 'motcua_event_visible_seconds_sum{stage="processing"} 0.0' in text
    assert 'motcua_event_visible_seconds_count{stage="other"} 1.0' in text


def test_agencies_with_procedure_series_are_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"kafka_bootstrap": "k:1", "postgres_url": "postgresql://p", "token_public_key_file": "a", "private_key_file": "b"}
    for name, each in needed.items():
        monkeypatch.setenv(f"MOTCUA_{name.upper()}", each)
    monkeypatch.setenv("MOTCUA_METRICS_PROCEDURE_AGENCIES", "ldtbxh, health")
    assert MetricsSettings().metrics_procedure_agencies == ("ldtbxh", "health")
    monkeypatch.setenv("MOTCUA_METRICS_PROCEDURE_AGENCIES", "Not A Slug")
    with pytest.raises(ValidationError):
        MetricsSettings()
