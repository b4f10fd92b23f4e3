"""An agency's own catalogue folder: held against the packaged one, loaded with it, and for whom it holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.intake.domain.submission import FilingRules, NotValidError, Submission, read_submission
from shared.catalogue import CatalogueError, Rule, check_files, load_catalogue
from shared.catalogue.checks import PACKAGED
from tests.support.catalogue import SOUND, run_check
from tests.support.servers import Keys

ROOT = Path(__file__).parents[2]


def own_folder(folder: Path, text: str) -> Path:
    """An agency's own catalogue folder with one file of procedures."""
    (folder / "procedures").mkdir(parents=True)
    (folder / "procedures" / "employment.yaml").write_text(text, encoding="utf-8")
    return folder


OWN = SOUND.replace("1.000001", "1.001865")
"""A procedure whose code is in the packaged catalogue, too."""


def test_an_agencys_folder_may_not_repeat_a_packaged_code(tmp_path: Path) -> None:
    (fault,) = check_files([own_folder(tmp_path, OWN)])
    assert (fault.rule, fault.entry, fault.line) == (Rule.DUPLICATE_CODE, "1.001865", 3)
    assert f"already in {PACKAGED / 'procedures' / 'employment.yaml'}:" in fault.message
    with pytest.raises(CatalogueError, match="already in"):
        load_catalogue((tmp_path,))


def test_an_agencys_own_procedure_holds_for_that_agency_alone(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, f"agency: khdt-haiphong\n{OWN}")
    assert check_files([folder]) == []
    catalogue = load_catalogue((folder,))
    mine, others = catalogue.of("khdt-haiphong"), catalogue.of("ldtbxh-haiphong")
    assert others is catalogue is catalogue.of(None)
    assert catalogue.agencies == ("khdt-haiphong",)
    assert [str(each.get("1.001865").limits[-1].due_limit) for each in (mine, others)] == [  # type: ignore[union-attr]
        "10 working days",
        "7 working days",
    ]
    assert mine.field_of("1.001865") == "employment"
    assert len(mine) == len(catalogue)


def test_a_folder_adds_procedures_fields_and_reasons_for_everybody(tmp_path: Path) -> None:
    own_folder(tmp_path, SOUND.replace("employment", "farming"))
    fields = 'fields:\n  - slug: farming\n    name: {vi: "Nông nghiệp", en: "Farming"}\n'
    (tmp_path / "fields.yaml").write_text(fields, encoding="utf-8")
    reasons = 'reasons:\n  - {code: flood, use: [extension], vi: "lũ lụt", en: "a flood"}\n'
    (tmp_path / "reasons.yaml").write_text(reasons, encoding="utf-8")
    catalogue = load_catalogue((tmp_path,))
    assert catalogue.field_of("1.000001") == "farming"
    assert len(catalogue) == len(load_catalogue()) + 1
    assert [catalogue.words_of("flood", language) for language in ("vi", "en")] == ["lũ lụt", "a flood"]
    assert load_catalogue().words_of("flood", "vi") == "flood"


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ('{code: Flood, use: [extension], vi: "a", en: "a"}', Rule.WRONG_VALUE),
        ('{code: flood, use: [], vi: "a", en: "a"}', Rule.WRONG_VALUE),
        ('{code: flood, use: [weather], vi: "a", en: "a"}', Rule.WRONG_VALUE),
        ('{code: flood, use: [extension], en: "a"}', Rule.MISSING_KEY),
        ('{code: overdue, use: [extension], vi: "a", en: "a"}', Rule.DUPLICATE_CODE),
    ],
)
def test_a_wrong_reason_is_named(tmp_path: Path, entry: str, rule: Rule) -> None:
    (tmp_path / "reasons.yaml").write_text(f"reasons:\n  - {entry}\n", encoding="utf-8")
    fault = check_files([tmp_path])[0]
    assert (fault.rule, fault.line) == (rule, 2)


def test_a_folder_without_files_is_a_fault(tmp_path: Path) -> None:
    (fault,) = check_files([tmp_path])
    assert (fault.rule, fault.file) == (Rule.READABLE, str(tmp_path / "fields.yaml"))


def test_command_checks_an_agencys_folder_and_counts_its_files(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, f"agency: khdt-haiphong\n{OWN}")
    assert run_check(str(folder)) == (0, "1 file checked, no fault\n")
    status, said = run_check(str(own_folder(tmp_path / "other", OWN)))
    assert status == 1
    assert said.startswith(f"{tmp_path / 'other' / 'procedures' / 'employment.yaml'}:3: 1.001865: ")


def test_command_without_files_checks_the_folders_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [own_folder(tmp_path / name, f"agency: {name}\n{OWN}") for name in ("khdt", "snv")]
    monkeypatch.setenv("MOTCUA_CATALOGUE_DIR", os.pathsep.join(map(str, folders)))
    assert run_check() == (0, "20 files checked, no fault\n")


def test_a_case_may_be_filed_under_its_own_agencys_procedure_only(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, f"agency: khdt-haiphong\n{SOUND}")
    rules = FilingRules(load_catalogue((folder,)), datetime(2026, 3, 2, 3, tzinfo=UTC))
    body = {"agency": "khdt-haiphong", "kind": "dossier", "procedure": "1.000001", "channel": "counter"}
    assert read_submission(Submission, json.dumps(body).encode(), rules).procedure == "1.000001"
    with pytest.raises(NotValidError) as caught:
        read_submission(Submission, json.dumps(body | {"agency": "ldtbxh-haiphong"}).encode(), rules)
    assert [fault.pointer for fault in caught.value.faults] == ["/procedure"]


@pytest.mark.parametrize("service", ["intake", "processing", "notification", "metrics"])
def test_a_service_with_a_faulty_catalogue_does_not_start_and_says_why(tmp_path: Path, service: str) -> None:
    keys = Keys.make(tmp_path / "keys")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")},
        **keys.environment,
        "MOTCUA_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "MOTCUA_POSTGRES_URL": "postgresql://nobody:none@127.0.0.1:1/postgres",
        "MOTCUA_CATALOGUE_DIR": str(own_folder(tmp_path / "own", OWN)),
    }
    ended = subprocess.run(
        [sys.executable, "-m", f"services.{service}"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "setting MOTCUA_CATALOGUE_DIR: the catalogue has faults" in ended.stderr
    assert "[duplicate-code]" in ended.stderr
