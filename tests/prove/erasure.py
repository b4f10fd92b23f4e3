"""The protections of personal data that `make prove` switches off."""

from __future__ import annotations

from tests.prove.protection import Protection

ERASED = "tests/integration/test_erasure.py::test_"
NOTES = "tests/integration/test_notes.py::test_"
PIECES = "tests/unit/test_erasure_pieces.py::test_"
INTAKE, OFFICERS = "services/intake/erasure.py", "services/processing/handlers/officers.py"

ERASURE = (
    Protection(
        "pulse of case-private",
        "shared/messaging/pulse.py",
        "        for key in pulse_keys():\n",
        "        for key in ():\n",
        (f"{ERASED}what_was_erased_leaves_a_quiet_topic_within_the_bound",),
    ),
    Protection(
        "unsent private records",
        INTAKE,
        "        rows += await forget_unsent(work.tx, [case_id])\n",
        "",
        (f"{ERASED}what_waits_in_the_outbox_is_never_sent",),
    ),
    Protection(
        "applicant before outbox",
        INTAKE,
        "        rows = sum([_count(await work.tx.driver.execute(statement, case_id)) for statement in _FORGET])\n"
        "        rows += await forget_unsent(work.tx, [case_id])\n",
        "        rows = await forget_unsent(work.tx, [case_id])\n"
        "        rows += sum([_count(await work.tx.driver.execute(statement, case_id)) for statement in _FORGET])\n",
        (f"{ERASED}a_rotation_that_holds_the_applicant_brings_nothing_back",),
    ),
    Protection(
        "place only of private records",
        "shared/messaging/parking.py",
        " or self.topic == CASE_PRIVATE.name or",
        " or",
        (f"{PIECES}the_copy_of_a_private_record_has_neither_value_nor_headers",),
    ),
    Protection(
        "settings of existing topics",
        "shared/messaging/topics_admin.py",
        "        await _mend_settings(admin, there, prefix)\n",
        "",
        (f"{ERASED}topics_that_exist_get_the_settings_of_the_contract",),
    ),
    Protection(
        "no note after an erasure",
        OFFICERS,
        "if asked.note is not None and await repository.is_erased(work.tx, asked.case_id):",
        "if False:",
        (f"{NOTES}an_erased_case_loses_its_notes_and_takes_no_more",),
    ),
    Protection(
        "note of a refused command",
        OFFICERS,
        "if asked.note is not None and answer.rejected is None:",
        "if asked.note is not None:",
        (f"{NOTES}the_note_of_a_refused_command_is_not_kept",),
    ),
    Protection(
        "note as a digest",
        OFFICERS,
        "[] if self.note_digest is None else [self.note_digest]",
        "[] if self.note is None else [self.note]",
        (f"{NOTES}the_same_key_with_another_note_is_another_command",),
    ),
    Protection(
        "place only of unread commands",
        "shared/messaging/parking.py",
        "return topic == CASE_COMMANDS.name and",
        "return False and",
        (f"{PIECES}of_a_command_that_could_not_be_read_nothing_but_its_place_is_kept",),
    ),
    Protection(
        "an erasure is final",
        "services/notification/handlers.py",
        "elif case_id in erased or recorded_at",
        "elif recorded_at",
        ("tests/unit/test_notification_erasure.py::test_the_newest_contact_holds_until_an_erasure_which_is_final",),
    ),
    Protection(
        "nobody is said to be a duplicate of who was erased",
        "services/intake/duplicates.py",
        " and exists (select from persons o where o.case_id = u.other)",
        "",
        ("tests/integration/test_intake_channels.py::test_nor_is_the_case_of_the_other_person_who_was_erased_meanwhile_named",),
    ),
)
