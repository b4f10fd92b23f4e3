"""The protections of keys and of what they seal that `make prove` switches off."""

from __future__ import annotations

from tests.prove.protection import Protection

RINGS = "tests/unit/test_key_ring.py::test_"
COMMAND = "tests/unit/test_keys_command.py::test_"
SEALING = "tests/unit/test_intake_vault.py::test_"
SHOWING = "tests/integration/test_vault.py::test_"
ROTATING = "tests/integration/test_rotation.py::test_"
RING, SHOWN, SEALED = "shared/security/key_ring.py", "services/intake/disclosure.py", "services/intake/vault.py"

VAULT = (
    Protection(
        "a value is bound to its case and name",
        RING,
        'return f"{case_id}/{what}".encode()',
        "return str(case_id).encode()",
        (f"{RINGS}a_value_opens_for_its_own_case_and_name_only",),
    ),
    Protection(
        "a data key is bound to its case",
        RING,
        "return _decrypt(master.wrapping, sealed[PREFIX_BYTES:_NONCE_END], sealed[_NONCE_END:_WRAP_END], case_id.bytes)",
        "return os.urandom(KEY_BYTES)",
        (f"{RINGS}a_data_key_of_one_case_does_not_serve_another",),
    ),
    Protection(
        "version 1 is contacts only",
        RING,
        'if what != "contact":',
        "if False:",
        (f"{RINGS}version_1_still_opens_and_only_as_a_contact_of_its_case",),
    ),
    Protection(
        "digests outlive a rotation",
        "shared/security/key_file.py",
        "return KeyFile((key, *self.keys), self.digests)",
        "return KeyFile((key, *self.keys), self.digest_key)",
        (f"{RINGS}digests_and_tokens_outlive_a_rotation_and_a_retirement",),
    ),
    Protection(
        "no other digests while running",
        RING,
        "if content.digests != self._digests:",
        "if False:",
        (f"{RINGS}a_file_of_no_use_or_with_other_digests_changes_nothing_while_running",),
    ),
    Protection(
        "a key that came meanwhile",
        RING,
        "if master is None and self.refresh():",
        "if False:",
        (f"{RINGS}a_value_under_a_key_that_came_meanwhile_opens_at_once",),
    ),
    Protection(
        "keys are not printed",
        "shared/security/key_file.py",
        "keys: tuple[bytes, ...] = field(repr=False)",
        "keys: tuple[bytes, ...]",
        (f"{RINGS}no_key_is_shown_by_what_stands_for_it",),
    ),
    Protection(
        "only the contact travels",
        SEALED,
        "to_json(who, include=_CONTACT, exclude_none=True)",
        "to_json(who, exclude_none=True)",
        (f"{SEALING}the_contact_holds_nothing_that_a_messenger_need_not_know",),
    ),
    Protection(
        "a key goes when nothing hangs on it",
        "deploy/cli/keys.py",
        "if not reasons and wanted:",
        "if wanted:",
        (f"{COMMAND}retire_drops_a_key_or_says_why_not",),
    ),
    Protection(
        "a key goes when no service seals with it",
        "deploy/cli/keys.py",
        "return strangers(held_by(stack), keys) + hindrances(",
        "return hindrances(",
        (f"{COMMAND}a_key_goes_only_when_every_service_holds_exactly_the_files_keys",),
    ),
    Protection(
        "a rotation looks once more later",
        "services/intake/rotation.py",
        "        await driver.execute(_LOOK_AGAIN, key_id, _FIRST, AGAIN_AFTER)\n",
        "",
        (f"{ROTATING}what_was_filed_under_the_older_key_after_the_end_is_found_later",),
    ),
    Protection(
        "version 1 may be on any key",
        "deploy/cli/keys.py",
        'if number and key in {*wanted, UNBOUND, ""}',
        "if number and key in wanted",
        (f"{COMMAND}a_key_goes_only_when_nothing_hangs_on_it",),
    ),
    Protection(
        "a line for every look",
        SHOWN,
        '        await log_access(tx, who, "applicant", purpose, shown.outcome, case_id=case_id, agency=agency, found=found)\n',
        "",
        (
            f"{SHOWING}every_look_leaves_its_line_refused_or_not",
            f"{SHOWING}nothing_is_shown_when_its_line_cannot_be_written",
        ),
    ),
    Protection(
        "people of another agency's case",
        SHOWN,
        "if not who.may_see(agency):",
        "if False:",
        (f"{SHOWING}every_look_leaves_its_line_refused_or_not",),
    ),
    Protection(
        "search in the asker's agency",
        SHOWN,
        "rows = await tx.driver.fetch(_SEARCHES[kind], token(keys, kind, value), who.agency, FOUND_AT_MOST)",
        "rows = await tx.driver.fetch(_SEARCHES[kind], token(keys, kind, value), None, FOUND_AT_MOST)",
        (f"{SHOWING}a_person_is_found_by_any_identifier_in_the_askers_agency",),
    ),
    Protection(
        "the log of one's own agency",
        "shared/service/access_log.py",
        "rows = await tx.driver.fetch(_READ, cursor, who.agency, case_id, limit + 1)",
        "rows = await tx.driver.fetch(_READ, cursor, None, case_id, limit + 1)",
        (f"{SHOWING}auditors_read_the_lines_that_concern_them_page_by_page",),
    ),
    Protection(
        "a rotation publishes anew",
        "services/intake/rotation.py",
        "            _publish(work, new)\n",
        "",
        (f"{ROTATING}a_rotation_leaves_nothing_on_the_older_key_and_changes_nothing_else",),
    ),
    Protection(
        "a rotation looks again",
        "services/intake/rotation.py",
        "if changed or rewrapped or work.now < started_at + SETTLED_AFTER:",
        "if changed:",
        (f"{ROTATING}what_was_filed_under_the_older_key_after_the_end_is_found_later",),
    ),
)
