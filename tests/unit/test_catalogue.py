"""The packaged catalogue: its size, the two committed reductions, and what stays unknown."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.calendar import LimitUnit, load_calendar
from shared.catalogue import (
    CatalogueError,
    Limit,
    LimitVersion,
    Rule,
    UnknownProcedureError,
    check_files,
    load_catalogue,
)
from shared.catalogue.checks import PACKAGED, files_of

CATALOGUE = load_catalogue()


def working_days(count: int) -> Limit:
    """A limit in working days."""
    return Limit(count=count, unit=LimitUnit.WORKING_DAYS)


def test_packaged_catalogue_has_no_fault() -> None:
    assert check_files() == []


def test_catalogue_holds_98_procedures_of_ten_fields_and_the_imported_log() -> None:
    per_field = Counter(CATALOGUE.field_of(procedure.code) for procedure in CATALOGUE)
    assert per_field == {
        "people-of-merit": 21,
        "social-protection": 16,
        "vocational-education": 16,
        "employment": 16,
        "social-evils-prevention": 7,
        "foreign-workers": 6,
        "labour-wages": 6,
        "children": 6,
        "occupational-safety": 2,
        "overseas-labour": 2,
        "other": 1,
    }
    assert set(per_field) == set(CATALOGUE.fields)
    assert len(CATALOGUE) == 99


def test_procedures_come_sorted_by_code() -> None:
    codes = [procedure.code for procedure in CATALOGUE]
    assert codes == sorted(codes)
    assert "1.001806" in CATALOGUE


def test_62_procedures_have_no_known_limit_and_are_not_verified() -> None:
    unknown = [procedure for procedure in CATALOGUE if procedure.limits[-1].due_limit is None]
    assert len(unknown) == 62 + 1
    assert not any(procedure.verified for procedure in unknown)


@pytest.mark.parametrize(("code", "statutory", "committed"), [("1.001806", 15, 10), ("2.000189", 10, 7)])
def test_committed_reduction_holds_from_july_2020_by_assumption(code: str, statutory: int, committed: int) -> None:
    before = CATALOGUE.version_at(code, date(2020, 6, 30))
    after = CATALOGUE.version_at(code, date(2020, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.version, before.statutory, before.committed) == (
        1,
        working_days(statutory),
        working_days(statutory),
    )
    assert (after.version, after.statutory, after.committed) == (
        2,
        working_days(statutory),
        working_days(committed),
    )
    assert after.due_limit == working_days(committed)
    assert after.assumed
    assert "assumed" in (after.note or "")


def test_limit_of_the_catalogue_counts_in_the_calendar() -> None:
    version = CATALOGUE.version_at("1.001806", date(2020, 12, 17))
    assert version is not None
    assert version.due_limit is not None
    accepted = date(2020, 12, 17)
    assert load_calendar().due_date(accepted, version.due_limit.count, version.due_limit.unit) == date(2020, 12, 31)


def test_child_protection_limit_is_twelve_hours() -> None:
    version = CATALOGUE.version_at("1.004946", date(2020, 1, 1))
    assert version is not None
    assert str(version.statutory) == "12 hours"


def test_imported_log_is_a_dossier_without_limits() -> None:
    procedure = CATALOGUE.get("log.receipt")
    assert procedure is not None
    assert (procedure.kind, procedure.verified, procedure.limits[0].due_limit) == ("dossier", False, None)


def test_unknown_code_is_none_or_named() -> None:
    assert CATALOGUE.get("9.999999") is None
    with pytest.raises(UnknownProcedureError, match=r"9\.999999"):
        CATALOGUE.version_at("9.999999", date(2020, 1, 1))
    with pytest.raises(UnknownProcedureError):
        CATALOGUE.field_of("9.999999")


def test_version_outside_its_validity_is_none() -> None:
    limit = working_days(5)
    version = LimitVersion(
        version=1,
        statutory=limit,
        committed=None,
        valid_from=date(2021, 1, 1),
        valid_to=date(2021, 12, 31),
        decision=None,
        assumed=False,
    )
    held = [version.holds_on(on) for on in (date(2020, 12, 31), date(2021, 1, 1), date(2022, 1, 1))]
    assert held == [False, True, False]
    assert version.due_limit == limit


def test_procedures_cannot_be_changed() -> None:
    procedure = CATALOGUE.get("1.001806")
    assert procedure is not None
    for name in ("verified", "code", "limits"):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(procedure, name, getattr(procedure, name))
    with pytest.raises(TypeError):
        CATALOGUE.procedures["1.001806"] = procedure  # type: ignore[index]


def test_every_code_is_quoted_in_the_files() -> None:
    lines = [line for path in files_of(PACKAGED) for line in path.read_text(encoding="utf-8").splitlines()]
    codes = [line for line in lines if "code:" in line and not line.startswith("#")]
    assert len(codes) == 99
    assert all(line.startswith('  - code: "') and line.endswith('"') for line in codes)


def test_folder_with_faults_cannot_be_loaded_and_says_every_one(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read") as caught:
        load_catalogue(tmp_path)
    assert [fault.rule for fault in caught.value.faults] == [Rule.READABLE]
