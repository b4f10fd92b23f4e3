"""What every test may use. Servers start at most once a run, when the first test asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.observability.logs import set_up_logs
from tests.support.given import given_servers
from tests.support.servers import Servers

set_up_logs("test", "warning")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Kafka and PostgreSQL of this run, or those that were given."""
    given = given_servers()
    if given is not None:
        yield given
        return
    running = Servers(tmp_path_factory.mktemp("servers")).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Real logs and domain facts, kept beside the checkout; named by MOTCUA_TEST_DATA."""
    folder = Path(os.environ.get("MOTCUA_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.fail(f"reference data not found in {folder}: set MOTCUA_TEST_DATA to the folder with receipt.xes.gz")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where nobody can miss it that the suite on containers did not run."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if any("SMOKE SUITE ON CONTAINERS" in reason for reason in skipped):
        terminalreporter.section("!!! THE SMOKE SUITE ON CONTAINERS DID NOT RUN !!!", sep="!", red=True, bold=True)
