"""The packaged catalogue: its size, the two committed reductions, and what stays unknown."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.calendar import LimitUnit, load_calendar
from shared.catalogue import (
    CaseKind,
    CatalogueError,
    Limit,
    LimitVersion,
    Rule,
    Supplement,
    TaskClass,
    UnknownProcedureError,
    check_files,
    load_catalogue,
)
from shared.catalogue.checks import PACKAGED, files_of
from shared.catalogue.conduct import QUARTERS, quarters_of
from shared.contracts.words import Regime

CATALOGUE = load_catalogue()


def working_days(count: int) -> Limit:
    """A limit in working days."""
    return Limit(count=count, unit=LimitUnit.WORKING_DAYS)


def test_packaged_catalogue_has_no_fault() -> None:
    assert check_files() == []


def test_catalogue_holds_98_procedures_of_ten_fields_and_the_other_kinds_of_work() -> None:
    per_field = Counter(CATALOGUE.field_of(procedure.code) for procedure in CATALOGUE)
    others = {"feedback": 3, "tasks": 2, "key-tasks": 1, "programmes": 1, "other": 3}
    assert per_field == others | {
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
    }
    assert set(per_field) == set(CATALOGUE.fields)
    assert len(CATALOGUE) == 98 + sum(others.values())


def test_procedures_come_sorted_by_code() -> None:
    codes = [procedure.code for procedure in CATALOGUE]
    assert codes == sorted(codes)
    assert "1.001806" in CATALOGUE


def test_62_procedures_have_no_known_limit_and_are_not_verified() -> None:
    unknown = [each for each in CATALOGUE if each.limits[-1].due_limit is None]
    procedures = [each for each in unknown if each.kind is CaseKind.DOSSIER and CATALOGUE.field_of(each.code) != "other"]
    assert len(procedures) == 62
    assert {CATALOGUE.field_of(each.code) for each in unknown if each not in procedures} == {
        "tasks", "key-tasks", "programmes", "other",
    }  # fmt: skip
    assert not any(procedure.verified for procedure in unknown)


@pytest.mark.parametrize(("code", "statutory", "committed"), [("1.001806", 15, 10), ("2.000189", 10, 7)])
def test_committed_reduction_holds_from_july_2020_by_assumption(code: str, statutory: int, committed: int) -> None:
    before = CATALOGUE.version_at(code, date(2020, 6, 30))
    after = CATALOGUE.version_at(code, date(2020, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.version, before.statutory, before.committed) == (1, working_days(statutory), None)
    assert (after.version, after.statutory, after.committed) == (2, working_days(statutory), working_days(committed))
    assert (before.due_limit, after.due_limit) == (working_days(statutory), working_days(committed))
    for version in (before, after):
        assert version.assumed
        assert "assumed" in (version.note or "")


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


def version_of(code: str) -> LimitVersion:
    """The newest limits of a procedure."""
    procedure = CATALOGUE.get(code)
    assert procedure is not None
    return procedure.limits[-1]


def test_steps_of_the_recognised_business_take_half_days_and_fill_ten_working_days() -> None:
    steps = version_of("1.001806").steps
    assert [(step.quarter_days, step.counted) for step in steps] == [
        (2, True), (2, True), (28, True), (2, True), (4, True), (2, True), (None, False),
    ]  # fmt: skip
    assert quarters_of(steps) == 10 * QUARTERS


@pytest.mark.parametrize(("code", "days"), [("1.001776", [7, 3, 7, 3]), ("1.000479", [20, 7]), ("1.001731", [2, 3])])
def test_authorities_in_a_chain_share_the_limit(code: str, days: list[int]) -> None:
    assert [step.quarter_days for step in version_of(code).steps] == [count * QUARTERS for count in days]


@pytest.mark.parametrize(
    ("code", "required", "optional"),
    [("2.000189", 3, 0), ("2.001955", 2, 2), ("1.001865", 6, 0), ("1.000479", 5, 0), ("1.001806", 0, 4)],
)
def test_documents_are_required_only_where_a_source_lists_them(code: str, required: int, optional: int) -> None:
    documents = version_of(code).documents
    assert Counter(document.required for document in documents) == Counter({True: required, False: optional})
    assert all(document.assumed for document in documents) == (code == "1.001806")


def test_no_other_dossier_asks_for_documents() -> None:
    asking = {each.code for each in CATALOGUE for version in each.limits if any(doc.required for doc in version.documents)}
    assert asking == {"2.000189", "2.001955", "1.001865", "1.000479"}


def test_sector_rules_stand_where_a_source_gives_them() -> None:
    publish = version_of("2.000189").after_result
    assert publish is not None
    assert (publish.step, publish.limit) == ("publish", working_days(2))
    assert [each.code for each in CATALOGUE if each.limits[-1].silent_approval] == ["2.001955"]
    assert version_of("2.001955").due_limit == working_days(7)
    assert version_of("1.000479").supplement.within == working_days(10)
    assert version_of("2.000632").supplement == Supplement(regime=Regime.RESTART, within=working_days(3), until=None)


def test_feedback_has_the_limits_of_decision_766_from_its_day() -> None:
    for code in ("feedback.conduct", "feedback.regulation", "feedback.other"):
        before, after = CATALOGUE.version_at(code, date(2022, 6, 22)), CATALOGUE.version_at(code, date(2022, 6, 23))
        assert before is not None
        assert after is not None
        assert (before.due_limit, before.forward_within) == (None, working_days(5))
        assert (after.statutory, after.refuse_within, after.forward_within) == tuple(map(working_days, (15, 2, 5)))
        assert after.supplement.within == working_days(5)
        assert after.after_result is not None
        assert after.after_result.limit == working_days(2)


def test_every_class_of_task_has_its_entry_without_a_limit() -> None:
    tasks = [each for each in CATALOGUE if each.kind is CaseKind.TASK]
    assert {(each.task_class, CATALOGUE.field_of(each.code)) for each in tasks} == {
        (TaskClass.ROUTINE, "tasks"), (TaskClass.AD_HOC, "tasks"),
        (TaskClass.KEY, "key-tasks"), (TaskClass.PROGRAMME, "programmes"),
    }  # fmt: skip
    assert all(version.due_limit is None for each in tasks for version in each.limits)


def test_codes_that_were_renumbered_name_their_successor_where_it_is_known() -> None:
    successors = {each.code: each.replaced_by for each in CATALOGUE if each.replaced_by}
    assert len(successors) == 9
    assert successors["2.000135"] == "1.013814"
    commune = CATALOGUE.get("1.013734")
    assert commune is not None
    assert (commune.valid_from, commune.valid_to) == (date(2025, 7, 1), None)


def test_a_version_is_found_by_its_number() -> None:
    assert CATALOGUE.version("1.001806", 1) is CATALOGUE.version_at("1.001806", date(2020, 1, 2))
    for code, number in (("1.001806", 0), ("1.001806", 3), ("9.999999", 1), (None, 1), ("1.001806", None)):
        assert CATALOGUE.version(code, number) is None


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
    of_procedures = [line for line in codes if line.startswith("  - code: ") and "{code:" not in line]
    assert len(of_procedures) == len(CATALOGUE)
    assert all(line.startswith('  - code: "') and line.endswith('"') for line in of_procedures)


def test_folder_with_faults_cannot_be_loaded_and_says_every_one(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read") as caught:
        load_catalogue((tmp_path,))
    assert [fault.rule for fault in caught.value.faults] == [Rule.READABLE]
