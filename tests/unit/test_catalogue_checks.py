"""Each rule of the catalogue broken once: the fault names file, line, entry and rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.catalogue import Fault, Rule, check_files
from shared.catalogue.checks import PACKAGED
from tests.support.catalogue import SOUND, run_check


def step(slug: str, quarter_days: int | str) -> str:
    """A counted step in YAML."""
    return f"{{step: {slug}, name: {{vi: A, en: A}}, role: clerk, quarter_days: {quarter_days}}}"


def faults_of(folder: Path, *texts: str) -> list[Fault]:
    """Check files with these contents, named 0.yaml, 1.yaml and so on."""
    paths = []
    for index, text in enumerate(texts):
        paths.append(folder / f"{index}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return check_files(paths)


def test_sound_file_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "line", "said"),
    [
        ('"1.000001"', "1.000530", Rule.QUOTED_CODE, 3, 'quote it, code: "1.000530"'),
        ('"1.000001"', "12", Rule.QUOTED_CODE, 3, 'quote it, code: "12"'),
        ('"1.000001"', '"1 0"', Rule.WRONG_VALUE, 3, "code: string should match pattern"),
        ("count: 10,", "count: 16,", Rule.COMMITTED_WITHIN_STATUTORY, 17, "(16 working days) is longer than"),
        ("2020-07-01", "2020-06-30", Rule.VALIDITY_UNBROKEN, 3, "versions 1 and 2 overlap"),
        ("2020-07-01", "2020-07-02", Rule.VALIDITY_UNBROKEN, 3, "versions 1 and 2 leave a gap"),
        ("2020-07-01", "null", Rule.VALIDITY_UNBROKEN, 3, "2 a `valid_from`"),
        ("2020-06-30", "null", Rule.VALIDITY_UNBROKEN, 3, "1 needs a `valid_to`"),
        ("valid_from: null", "valid_from: 2020-08-01", Rule.VALIDITY_UNBROKEN, 10, "before it begins"),
        ("version: 2", "version: 3", Rule.VERSIONS_NUMBERED, 3, "not [1, 3]"),
        ("assumed: false", "assumed: true", Rule.ASSUMED_SAYS_WHAT, 10, "say in `note`"),
        ("unit: working_days", "unit: weeks", Rule.WRONG_VALUE, 11, "limits.0.statutory.unit"),
        ("count: 15", "count: 0", Rule.WRONG_VALUE, 11, "greater than or equal to 1"),
        ("count: 15", 'count: "15"', Rule.WRONG_VALUE, 11, "valid integer"),
        ("kind: dossier", "kind: letter", Rule.WRONG_VALUE, 5, "'dossier', 'feedback' or 'task'"),
        ("level: unknown", "level: unknown\n    fee: 5", Rule.UNKNOWN_KEY, 7, "unknown key 'fee'"),
        ("    level: unknown\n", "", Rule.MISSING_KEY, 3, "the key 'level' is missing"),
        ("kind: dossier", "kind: dossier\n    kind: task", Rule.DUPLICATE_KEY, 6, "already in line 5"),
        ("field: employment", "field: farming", Rule.KNOWN_FIELD, 1, "unknown field 'farming'"),
        ('["test"]', "[*a]", Rule.YAML_SYNTAX, 8, "undefined alias"),
        ('["test"]', "&a [*a]", Rule.NO_ALIAS, 8, "write it out"),
        ('["test"]', '["test"', Rule.YAML_SYNTAX, 9, "did not find expected"),
        ('["test"]', "[!!python/name:os.system x]", Rule.YAML_SYNTAX, 8, "constructor"),
        ("kind: dossier", "kind: task", Rule.TASK_HAS_CLASS, 3, "every entry of the kind task"),
        ("kind: dossier", "kind: dossier\n    task_class: key", Rule.TASK_HAS_CLASS, 3, "to no other"),
        ("verified: true", 'verified: true\n    replaced_by: "1.000001"', Rule.REPLACED_BY_ANOTHER, 3, "1.000001 -> 1.000001"),
        (
            "verified: true",
            "verified: true\n    valid_from: 2025-07-01\n    valid_to: 2025-06-30",
            Rule.VALIDITY_UNBROKEN,
            3,
            "the code ends",
        ),
        ("assumed: false", "assumed: false\n        steps: [" + step("a", 59) + "]", Rule.STEPS_FILL_LIMIT, 10, "14.75 working"),
        (
            "assumed: false",
            "assumed: false\n        steps: [" + step("a", 30) + ", " + step("a", 30) + "]",
            Rule.LISTED_ONCE,
            10,
            "step 'a' is listed 2 times",
        ),
        ("assumed: false", "assumed: false\n        steps: [" + step("a", 0) + "]", Rule.WRONG_VALUE, 17, "quarter_days"),
        (
            "assumed: false",
            "assumed: false\n        documents: [{code: a, name: {vi: A, en: A}, required: true, assumed: true}]",
            Rule.ASSUMED_IS_OPTIONAL,
            17,
            "'a' is assumed",
        ),
        ("assumed: false", "assumed: false\n        supplement: {regime: pause}", Rule.WRONG_VALUE, 17, "regime"),
        ("2020-06-30", "2020-06-31", Rule.YAML_SYNTAX, 14, "day is out of range"),
        ("kind: dossier", "? [a]\n    : b", Rule.YAML_SYNTAX, 5, "unhashable key"),
    ],
)
def test_broken_rule_is_named_with_its_place(tmp_path: Path, old: str, new: str, rule: Rule, line: int | None, said: str) -> None:
    faults = faults_of(tmp_path, SOUND.replace(old, new, 1))
    assert (faults[0].rule, faults[0].line) == (rule, line)
    assert said in faults[0].message
    assert faults[0].file == str(tmp_path / "0.yaml")
    assert "\n" not in str(faults[0])


def test_limit_nobody_knows_cannot_be_verified(tmp_path: Path) -> None:
    unknown = SOUND.replace("{count: 15, unit: working_days}", "null").replace("{count: 10, unit: working_days}", "null")
    assert [fault.rule for fault in faults_of(tmp_path, unknown)] == [Rule.UNKNOWN_IS_UNVERIFIED]
    assert faults_of(tmp_path, unknown.replace("verified: true", "verified: false")) == []


@pytest.mark.parametrize("budgets", [(60,), (30, 30), (10, "null"), ("null",)])
def test_steps_that_fill_the_limit_or_are_not_all_known_are_no_fault(tmp_path: Path, budgets: tuple[int | str, ...]) -> None:
    steps = ", ".join(step(f"s{index}", budget) for index, budget in enumerate(budgets))
    text = SOUND.replace("assumed: false", f"assumed: false\n        steps: [{steps}]", 1)
    assert faults_of(tmp_path, text) == []


def test_silence_approves_only_where_a_limit_is_known(tmp_path: Path) -> None:
    silent = SOUND.replace("assumed: false", "assumed: false\n        silent_approval: true", 1)
    assert faults_of(tmp_path, silent) == []
    unknown = silent.replace("{count: 15, unit: working_days}", "null")
    assert [fault.rule for fault in faults_of(tmp_path, unknown)] == [Rule.SILENT_APPROVAL_NEEDS_LIMIT]


def test_a_chain_of_successors_that_comes_back_is_a_fault(tmp_path: Path) -> None:
    first = SOUND.replace("verified: true", 'verified: true\n    replaced_by: "1.000002"')
    second = SOUND.replace("1.000001", "1.000002").replace("verified: true", 'verified: true\n    replaced_by: "1.000001"')
    faults = faults_of(tmp_path, first, second)
    assert [(fault.rule, fault.entry, fault.line) for fault in faults] == [
        (Rule.REPLACED_BY_ANOTHER, "1.000001", 3),
        (Rule.REPLACED_BY_ANOTHER, "1.000002", 3),
    ]
    assert faults_of(tmp_path, first, second.replace('    replaced_by: "1.000001"\n', "")) == []


def test_limits_of_different_units_are_not_compared(tmp_path: Path) -> None:
    other_unit = SOUND.replace("{count: 10, unit: working_days}", "{count: 20, unit: calendar_days}")
    assert faults_of(tmp_path, other_unit) == []


def test_code_in_two_files_is_named_with_the_first_place(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, SOUND, SOUND)
    assert (fault.rule, fault.entry, fault.file) == (
        Rule.DUPLICATE_CODE,
        "1.000001",
        str(tmp_path / "1.yaml"),
    )
    assert f"already in {tmp_path / '0.yaml'}:3" in fault.message


def test_fault_names_the_entry_by_code_else_by_place(tmp_path: Path) -> None:
    (named,) = faults_of(tmp_path, SOUND.replace("kind: dossier", "kind: 7"))
    assert named.entry == "1.000001"
    (unquoted,) = faults_of(tmp_path, SOUND.replace('"1.000001"', "1.000001"))
    assert unquoted.entry == "1.000001"
    (placed,) = faults_of(tmp_path, SOUND.replace('code: "1.000001"\n    name', "name"))
    assert (placed.entry, placed.rule) == ("entry 1", Rule.MISSING_KEY)


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    wrong = SOUND.replace("kind: dossier", "kind: x").replace("level: unknown", "level: y").replace("employment", "z")
    rules = [fault.rule for fault in faults_of(tmp_path, wrong, wrong)]
    once = [Rule.KNOWN_FIELD, Rule.WRONG_VALUE, Rule.WRONG_VALUE]
    assert rules == [*once, Rule.KNOWN_FIELD, Rule.DUPLICATE_CODE, *once[1:]]


def test_procedures_may_use_a_field_of_a_file_given_with_them(tmp_path: Path) -> None:
    fields = 'fields:\n  - slug: farming\n    name: {vi: "Nông nghiệp", en: "Farming"}\n'
    assert faults_of(tmp_path, SOUND.replace("employment", "farming"), fields) == []


def test_field_given_twice_is_a_fault(tmp_path: Path) -> None:
    entry = '  - slug: farming\n    name: {vi: "Nông nghiệp", en: "Farming"}\n'
    (fault,) = faults_of(tmp_path, "fields:\n" + entry + entry)
    assert (fault.rule, fault.line, fault.entry) == (Rule.DUPLICATE_CODE, 4, "farming")


def test_packaged_files_copied_elsewhere_have_no_fault(tmp_path: Path) -> None:
    text = (PACKAGED / "procedures" / "children.yaml").read_text(encoding="utf-8")
    assert faults_of(tmp_path, text) == []


@pytest.mark.parametrize("content", ["", "- 1\n", "42\n", "a: b\n", "procedures: 3\n", "\x00", "[" * 5000, "- &x [*x]\n"])
def test_file_of_another_shape_is_a_fault_not_a_traceback(tmp_path: Path, content: str) -> None:
    assert faults_of(tmp_path, content)


def test_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("tên".encode("latin-1"))
    faults = check_files([latin, tmp_path / "none.yaml", tmp_path])
    assert [fault.rule for fault in faults] == [Rule.READABLE] * 3
    assert "UTF-8" in faults[0].message


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(SOUND)), junk=st.text("{}[]:-&*!|>'\"\n\t #%@0.a", max_size=6))
def test_damaged_file_never_raises(tmp_path: Path, cut: int, junk: str) -> None:
    for fault in faults_of(tmp_path, SOUND[:cut] + junk + SOUND[cut:]):
        assert fault.file.endswith("0.yaml")


def test_command_passes_the_packaged_catalogue() -> None:
    assert run_check() == (0, "18 files checked, no fault\n")


def test_command_tells_a_fault_in_one_line_with_status_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SOUND.replace('"1.000001"', "1.000001"), encoding="utf-8")
    status, said = run_check(str(file))
    message = 'the code 1.000001 reads as a number: quote it, code: "1.000001"'
    assert status == 1
    assert said.splitlines() == [f"{file}:3: 1.000001: {message} [quoted-code]", "1 file checked, 1 fault"]


def test_command_prints_one_json_document(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SOUND.replace("field: employment", "field: farming"), encoding="utf-8")
    status, said = run_check(str(file), "--json")
    document = json.loads(said)
    assert (status, document["ok"], document["files"]) == (1, False, [str(file)])
    (fault,) = document["faults"]
    assert (fault["rule"], fault["line"], fault["file"]) == ("known-field", 1, str(file))
