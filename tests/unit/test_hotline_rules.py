"""The alert rules of the hotline, as Prometheus' own tool judges them: they fire at the stated minute, and not before."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.prometheus import TEMPLATE, write_settings

RULES = TEMPLATE.parent / "rules" / "hotline.yml"
PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

LAST = "motcua_feed_last_event_timestamp_seconds"
EXPECTED = "motcua_feed_expected_silence_seconds"
MISSING = "motcua_feed_missing_events"
DIFFERENCE = "motcua_feed_reported_difference_events"
EVENTS = "motcua_feed_events_total"
VALID = "motcua_config_valid"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False, timeout=60)


def series(name: str, values: str, /, **labels: str) -> dict[str, str]:
    """A series of one replica, a value every 15 seconds from time 0 on (`5x40`: 5, and 40 times more)."""
    named = {"source": "stringee", "instance": "a", "job": "motcua"} | labels
    return {
        "series": f"{name}{{{', '.join(f'{label}={json.dumps(value)}' for label, value in named.items())}}}",
        "values": values,
    }


def judge(folder: Path, given: list[dict[str, str]], alert: str, alerts: dict[str, int]) -> None:
    """Fails with promtool's words unless so many alerts of this name fire at each of these times."""
    expected = [
        {
            "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})',
            "eval_time": at,
            "exp_samples": [{"labels": "{}", "value": count}] if count else [],
        }
        for at, count in alerts.items()
    ]
    tests = [{"interval": "15s", "input_series": given, "promql_expr_test": expected}]
    file = folder / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": tests}))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_and_the_settings_that_name_them_are_sound(tmp_path: Path) -> None:
    done = promtool("check", "rules", RULES)
    assert (done.returncode, "5 rules found" in done.stdout) == (0, True), done.stdout + done.stderr

    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus" / "targets.json").write_text("[]")
    settings = write_settings(tmp_path)
    done = promtool("check", "config", settings)
    assert (done.returncode, "5 rules found" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_feed_is_silent_from_the_stated_minute_on_and_no_longer_once_it_speaks(tmp_path: Path) -> None:
    last = "0x49 750x20"  # heard at 0:00, and again at 12:30
    given = [series(LAST, last), series(EXPECTED, "600x80")]

    judge(tmp_path, given, "HotlineFeedSilent", {"9m45s": 0, "10m": 0, "10m15s": 1, "12m15s": 1, "12m30s": 0, "15m": 0})


def test_a_stricter_hour_makes_a_feed_silent_that_was_quiet_before(tmp_path: Path) -> None:
    given = [series(LAST, "0x120"), series(EXPECTED, "86400x79 600x40")]  # from 20:00 on

    judge(tmp_path, given, "HotlineFeedSilent", {"19m45s": 0, "20m": 1})


def test_two_replicas_of_the_metrics_service_make_one_alert_of_the_newest_event(tmp_path: Path) -> None:
    given = [
        *(series(EXPECTED, "600x80", instance=name) for name in ("a", "b")),
        series(LAST, "0x80"), series(LAST, "0x39 600x40", instance="b"),
    ]  # fmt: skip

    judge(tmp_path, given, "HotlineFeedSilent", {"15m": 0, "20m": 0, "20m15s": 1})


def test_each_silent_feed_has_its_own_alert(tmp_path: Path) -> None:
    given = [
        *(series(EXPECTED, "600x80", source=name) for name in ("stringee", "asterisk", "twilio")),
        *(series(LAST, "0x80", source=name) for name in ("stringee", "asterisk")),
        series(LAST, "0x39 600x40", source="twilio"),
    ]

    judge(tmp_path, given, "HotlineFeedSilent", {"15m": 2, "20m15s": 3})


def test_missing_numbers_are_told_unless_they_come_within_minutes(tmp_path: Path) -> None:
    given = [series(MISSING, "0x3 2x80"), series(MISSING, "0x3 2x10 0x60", source="asterisk")]

    judge(tmp_path, given, "HotlineEventsMissing", {"5m": 0, "6m": 1, "15m": 1})


@pytest.mark.parametrize("difference", ["3", "-1"])
def test_counts_that_differ_either_way_are_told_when_they_stay_so(tmp_path: Path, difference: str) -> None:
    given = [series(DIFFERENCE, f"0x3 {difference}x80"), series(DIFFERENCE, "2x20 0x60", source="asterisk")]

    judge(tmp_path, given, "HotlineCountsDiffer", {"10m": 0, "11m": 1})


def test_refused_events_are_told_and_others_are_not(tmp_path: Path) -> None:
    refused = series(EVENTS, "0x3 1x200", outcome="refused")
    accepted = series(EVENTS, "0+1x200", outcome="accepted")

    judge(tmp_path, [accepted], "HotlineEventsRefused", {"10m": 0})
    judge(tmp_path, [refused, accepted], "HotlineEventsRefused", {"30s": 0, "2m": 1, "20m": 0})


def test_a_mapping_that_cannot_be_used_is_told_whichever_replica_says_so(tmp_path: Path) -> None:
    given = [
        series(VALID, "1x80", name="hotline/stringee"), series(VALID, "1x3 0x80", name="hotline/stringee", instance="b"),
        series(VALID, "1x80", name="hotline/twilio"), series(VALID, "0x80", name="another/file"),
    ]  # fmt: skip

    judge(tmp_path, given, "HotlineMappingBroken", {"1m": 0, "3m": 1})
