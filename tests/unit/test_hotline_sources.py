"""Which mapping and which secrets are in force while files come, go and break: what a source sends must not be lost by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.intake.hotline.series import HotlineSeries
from services.intake.hotline.sources import LOOKS_ABSENT, Source, Sources
from services.intake.hotline.understanding import NOT_IN_FORCE, UNKNOWN, arrive_from_kafka
from shared.hotline.mapping import UNKNOWN_SOURCE
from tests.support.switchboard import SOURCE, Folders, mapping

PACKAGED = "stringee"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path / "hotline")
    made.add()
    made.add(PACKAGED)
    return made


def started(folders: Folders, registry: CollectorRegistry | None = None) -> Sources:
    """Sources of a process that starts now."""
    series = HotlineSeries(registry or CollectorRegistry())
    sources = Sources(folders.settings["hotline_dir"], folders.settings["hotline_secrets_dir"], series)
    sources.refresh()
    return sources


def file_of(folders: Folders, source: str = SOURCE) -> Path:
    """Its mapping file."""
    path: Path = folders.settings["hotline_dir"] / f"{source}.yaml"
    return path


def secret_of(folders: Folders, source: str = SOURCE) -> Path:
    """Its file of secrets."""
    path: Path = folders.settings["hotline_secrets_dir"] / source
    return path


def in_force(sources: Sources, name: str) -> Source:
    """The source of this name, which there is."""
    found = sources.get(name)
    assert found is not None
    return found


def record(sources: Sources, named: str) -> tuple[str, str]:
    """The source that a record is counted for that names this one, and the rule that it breaks."""
    arrival = arrive_from_kafka(sources, b"{}", {"source": named})
    (understood,) = arrival.understood
    rule: str = getattr(understood, "wrong")[0].rule  # noqa: B009 - whatever it is, it is refused
    return arrival.source, rule


def test_the_packaged_mappings_are_there_and_have_no_secret() -> None:
    sources = Sources(None, None, HotlineSeries(CollectorRegistry()))
    sources.refresh()

    assert {"asterisk", "normalised", "stringee", "ticket-1022", "twilio"} <= {source.name for source in sources.all}
    assert {source.secrets for source in sources.all} == {()}


def test_a_file_of_the_operator_takes_the_place_of_a_packaged_one(folders: Folders) -> None:
    folders.add("stringee", mapping("stringee"))
    sources = started(folders)

    source = sources.get("stringee")
    assert source is not None
    assert source.mapping.home_agency == "ldtbxh-haiphong"
    assert sources.of_ce_source("/stringee") is source


def test_a_changed_file_is_in_force_at_once_and_a_broken_one_never(folders: Folders) -> None:
    registry = CollectorRegistry()
    sources = started(folders, registry)
    file, name = folders.settings["hotline_dir"] / f"{SOURCE}.yaml", {"name": f"hotline/{SOURCE}"}
    before = sources.get(SOURCE)
    assert before is not None
    for broken in ("kind: [", mapping().replace("id: id", "idd: id"), mapping("elsewhere"), "\x00"):
        file.write_text(broken)
        sources.refresh()
        assert sources.get(SOURCE) == before
        assert registry.get_sample_value("motcua_config_valid", name) == 0
        assert registry.get_sample_value("motcua_config_info", name | {"hash": before.digest}) == 1
    file.write_bytes(b"\xff\xfe")
    sources.refresh()
    assert sources.get(SOURCE) == before

    file.write_text(mapping(agency="another"))
    sources.refresh()
    after = sources.get(SOURCE)
    assert after is not None
    assert (after.mapping.home_agency, registry.get_sample_value("motcua_config_valid", name)) == ("another", 1)
    file.unlink()
    for _ in range(LOOKS_ABSENT):
        sources.refresh()
    assert sources.get(SOURCE) is None
    assert registry.get_sample_value("motcua_config_valid", name) is None


def test_at_most_two_secrets_count_and_none_that_is_too_weak(folders: Folders) -> None:
    sources = started(folders)
    good = folders.live[SOURCE]
    file = folders.settings["hotline_secrets_dir"] / SOURCE
    for text, expected in ((f"{good}\nwhsec_AAAA\n", (good,)), ("", ()), (f"{good}\n{good}\n{good}\n", (good, good))):
        file.write_text(text)
        sources.refresh()
        source = sources.get(SOURCE)
        assert source is not None
        assert source.secrets == expected


def test_while_a_folder_cannot_be_read_all_mappings_stay_and_secrets_do_not(folders: Folders, tmp_path: Path) -> None:
    registry = CollectorRegistry()
    sources = started(folders, registry)
    before, folder = list(sources.all), folders.settings["hotline_dir"]
    folder.rename(tmp_path / "away")
    secret_of(folders, PACKAGED).unlink()

    for _ in range(2 * LOOKS_ABSENT):
        sources.refresh()
    assert [each.mapping for each in sources.all] == [each.mapping for each in before]
    assert in_force(sources, PACKAGED).secrets == ()
    assert registry.get_sample_value("motcua_config_valid", {"name": "hotline"}) == 0

    (tmp_path / "away").rename(folder)
    sources.refresh()
    assert [each.mapping for each in sources.all] == [each.mapping for each in before]
    assert registry.get_sample_value("motcua_config_valid", {"name": "hotline"}) is None


def test_a_file_that_is_gone_for_a_while_changes_nothing(folders: Folders) -> None:
    registry = CollectorRegistry()
    sources = started(folders, registry)
    text, before = file_of(folders, PACKAGED).read_text(), in_force(sources, PACKAGED)
    for _ in range(2):
        file_of(folders, PACKAGED).unlink()
        for _ in range(LOOKS_ABSENT - 1):
            sources.refresh()
            assert sources.get(PACKAGED) == before
            assert registry.get_sample_value("motcua_config_valid", {"name": f"hotline/{PACKAGED}"}) == 0
        file_of(folders, PACKAGED).write_text(text)
        sources.refresh()
        assert sources.get(PACKAGED) == before
        assert registry.get_sample_value("motcua_config_valid", {"name": f"hotline/{PACKAGED}"}) == 1


def test_a_packaged_mapping_gets_the_operators_secrets_with_a_restart_only(folders: Folders) -> None:
    sources = started(folders)
    file_of(folders, PACKAGED).unlink()
    for _ in range(2 * LOOKS_ABSENT):
        sources.refresh()

    assert sources.get(PACKAGED) is None
    assert sources.awaited(PACKAGED) == PACKAGED
    assert in_force(started(folders), PACKAGED).mapping.authentication.scheme == "basic"


def test_after_a_restart_a_broken_mapping_is_awaited_and_not_unknown(folders: Folders) -> None:
    file_of(folders).write_text("kind: [")
    sources = started(folders)

    assert sources.get(SOURCE) is None
    assert record(sources, f"/{SOURCE}") == record(sources, SOURCE) == (SOURCE, NOT_IN_FORCE)
    assert record(sources, "/nobody") == (UNKNOWN_SOURCE, UNKNOWN)
    file_of(folders).write_text(mapping())
    sources.refresh()
    assert record(sources, f"/{SOURCE}") == (SOURCE, "missing")


@pytest.mark.parametrize("setting", ["hotline_dir", "hotline_secrets_dir"])
def test_as_long_as_a_folder_is_not_there_nobody_is_unknown(folders: Folders, tmp_path: Path, setting: str) -> None:
    folders.settings[setting].rename(tmp_path / "away")
    sources = started(folders)

    assert sources.awaited("twilio") == sources.awaited("nobody") == UNKNOWN_SOURCE
    assert record(sources, "/nobody") == (UNKNOWN_SOURCE, NOT_IN_FORCE)
    (tmp_path / "away").rename(folders.settings[setting])
    sources.refresh()
    assert sources.awaited("twilio") is sources.awaited("nobody") is None


def test_a_source_that_had_a_secret_is_awaited_when_it_has_none(folders: Folders) -> None:
    file_of(folders, PACKAGED).unlink()
    folders.settings["hotline_secrets_dir"].joinpath(PACKAGED).write_text("a-user:a-password-that-is-long-enough-to-count\n")
    sources = started(folders)
    assert in_force(sources, PACKAGED).secrets
    assert sources.awaited("twilio") is None

    secret_of(folders, PACKAGED).unlink()
    sources.refresh()
    assert in_force(sources, PACKAGED).secrets == ()
    assert sources.awaited(PACKAGED) == PACKAGED


def test_a_secret_is_a_line_and_may_hold_blanks(folders: Folders) -> None:
    secret = "a-user:a password that is long enough to count"
    folders.add(text=mapping().replace("standard_webhooks", "basic"))
    secret_of(folders).write_text(f"\n  {secret}\t\r\n\n{secret}2\n{secret}3\n")

    assert in_force(started(folders), SOURCE).secrets == (secret, f"{secret}2")


def test_a_secret_of_no_use_is_told_once_for_each_content(folders: Folders) -> None:
    sources = started(folders)
    for text, told in (("short\n", 1), ("shorter\n", 1), (folders.live[SOURCE], 0)):
        secret_of(folders).write_text(text)
        with capture_logs() as logs:
            for _ in range(3):
                sources.refresh()
        assert len([each for each in logs if each["event"] == "a secret cannot be used"]) == told


def test_of_two_mappings_with_one_ce_source_the_later_is_not_taken(folders: Folders) -> None:
    registry = CollectorRegistry()
    sources = started(folders, registry)
    trial = in_force(sources, SOURCE)
    folders.add("a-copy", mapping("a-copy") + f"kafka: {{source: /{SOURCE}}}\n")
    with capture_logs() as logs:
        sources.refresh()
        sources.refresh()

    assert sources.of_ce_source(f"/{SOURCE}") == trial
    assert (sources.get("a-copy"), sources.awaited("a-copy")) == (None, "a-copy")
    assert registry.get_sample_value("motcua_config_valid", {"name": "hotline/a-copy"}) == 0
    assert len([each for each in logs if each["log_level"] == "error"]) == 1

    file_of(folders).write_text(mapping() + "kafka: {source: /elsewhere}\n")
    sources.refresh()
    copy = in_force(sources, "a-copy")
    assert sources.of_ce_source(f"/{SOURCE}") == copy
    assert in_force(sources, SOURCE).mapping.kafka_sources == {"/elsewhere"}
    assert registry.get_sample_value("motcua_config_valid", {"name": "hotline/a-copy"}) == 1

    file_of(folders).write_text(mapping())
    sources.refresh()
    assert sources.of_ce_source(f"/{SOURCE}") == copy
    assert in_force(sources, SOURCE).mapping.kafka_sources == {"/elsewhere"}
