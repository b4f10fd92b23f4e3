"""The kit that a vendor runs in its own CI: it passes a right webhook, and each fault of a wrong one is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from shared.hotline.authentication import Authentication
from shared.hotline.signing import make_secret
from tests.support.webhook import webhook

KIT = Path(__file__).parents[2] / "deploy/hotline/kit/check_hotline.py"
TRUE = TypeAdapter(Authentication).validate_python
STANDARD = {"scheme": "standard_webhooks"}
SIGNED_TIME = {
    "scheme": "hmac",
    "header": "X-Vox-Signature",
    "prefix": "v0=",
    "content": "v0:{timestamp}:{body}",
    "timestamp_header": "X-Vox-Time",
    "timestamp_format": "unix_ms",
    "algorithm": "sha512",
    "encoding": "base64",
}
SCHEMES = {
    "standard": STANDARD,
    "hmac": {"scheme": "hmac", "header": "X-Signature"},
    "hmac with a time": SIGNED_TIME,
    "bearer": {"scheme": "bearer", "header": "X-Key", "prefix": ""},
    "basic": {"scheme": "basic"},
}


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "call.json"
    path.write_text('{"id": "a-1", "text": "Đường hỏng"}', encoding="utf-8")
    return path


def options(scheme: dict[str, str]) -> list[str]:
    return [word for name, value in scheme.items() for word in (f"--{name.replace('_', '-')}", value)]


def run_kit(url: str, secret: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOTLINE_SECRET": secret, "PYTHONUTF8": "1"}
    command = [sys.executable, "-I", str(KIT), "--url", url, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_webhook_that_keeps_the_contract_passes(scheme: dict[str, str], sample: Path) -> None:
    authentication = TRUE(scheme)
    secret = make_secret(authentication, b"0123456789abcdef0123456789abcdef")
    with webhook([secret], authentication) as door:
        told = run_kit(door.url, secret, *options(scheme), str(sample))
    assert (told.returncode, told.stderr) == (0, ""), told.stdout
    assert told.stdout.endswith("every check holds\n")
    assert door.stored == {"a-1"}
    assert len([dry_run for _, _, dry_run in door.requests if not dry_run]) == 2


def test_without_storing_only_dry_runs_are_sent(sample: Path) -> None:
    secret = make_secret(TRUE(STANDARD), b"0123456789abcdef0123456789abcdef")
    with webhook([secret]) as door:
        assert run_kit(door.url, secret, "--no-store", str(sample)).returncode == 0
    assert door.stored == set()
    assert all(dry_run for _, _, dry_run in door.requests)


@pytest.mark.parametrize(
    ("blind", "named"),
    [
        ("signature_missing", "no signature is refused"),
        ("signature_wrong", "wrong secret is refused"),
        ("signature_wrong", "changed body is refused"),
        ("timestamp_too_old", "old signature is refused"),
        ("timestamp_in_future", "signature of the future is refused"),
        ("large", "large body is refused"),
        ("repetition", "a repetition is known"),
    ],
)
def test_a_webhook_that_does_not_see_a_fault_fails_by_name(sample: Path, blind: str, named: str) -> None:
    secret = make_secret(TRUE(STANDARD), b"0123456789abcdef0123456789abcdef")
    reasons = frozenset({blind, "message_id_missing"} if blind == "signature_missing" else {blind})
    with webhook([secret], lenient=reasons) as door:
        told = run_kit(door.url, secret, str(sample))
    assert told.returncode == 1
    assert any(line.startswith(f"FAIL call.json: {named}") for line in told.stdout.splitlines()), told.stdout


def test_a_vendor_with_another_secret_fails(sample: Path) -> None:
    ours, theirs = (make_secret(TRUE(STANDARD), bytes([each]) * 32) for each in (1, 2))
    with webhook([ours]) as door:
        told = run_kit(door.url, theirs, str(sample))
    assert told.returncode == 1
    assert "FAIL call.json: dry run understands: expected 200, got 401" in told.stdout
    assert "signature_wrong" in told.stdout


def test_a_webhook_that_is_away_for_a_moment_is_asked_again(sample: Path) -> None:
    secret = make_secret(TRUE(STANDARD), b"0123456789abcdef0123456789abcdef")
    with webhook([secret], away=1) as door:
        assert run_kit(door.url, secret, str(sample)).returncode == 0
    first, second = door.requests[:2]
    assert first == second


def test_no_secret_is_a_wrong_call(sample: Path) -> None:
    told = run_kit("http://127.0.0.1:1", " ", str(sample))
    assert told.returncode == 2
    assert "no secret" in told.stderr
