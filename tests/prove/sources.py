"""What `make prove` switches off of the hotline: nothing is lost while files break, and what one source can cost is bounded."""

from __future__ import annotations

from tests.prove.protection import Protection

SOURCES = "tests/unit/test_hotline_sources.py::test_"
PIECES = "tests/unit/test_hotline_hostile_pieces.py::test_"
UNIT = "tests/unit/test_hotline_doors.py::test_"
PAYLOADS = "tests/integration/test_hotline_payloads.py::test_"
TEXTS = "tests/unit/test_hotline_texts.py::test_"
GROUPS = "tests/unit/test_intake_group_commit.py::test_"
HERE = "services/intake/hotline"
IN_FORCE, FILES, DESK = f"{HERE}/sources.py", f"{HERE}/files.py", f"{HERE}/desk.py"

SOURCES_OF_THE_HOTLINE = (
    Protection(
        "a broken mapping changes nothing",
        IN_FORCE,
        "        if before is not None:\n            yield before.mapping",
        "        if before is not None and file.mapping:\n            yield before.mapping",
        (f"{SOURCES}a_changed_file_is_in_force_at_once_and_a_broken_one_never",),
    ),
    Protection(
        "a file is called after its source",
        IN_FORCE,
        "if mapping.source != name:",
        "if mapping.source == '':",
        (f"{SOURCES}a_changed_file_is_in_force_at_once_and_a_broken_one_never",),
    ),
    Protection(
        "two secrets at most",
        FILES,
        "lines[:MOST_SECRETS]",
        "lines",
        (f"{SOURCES}at_most_two_secrets_count_and_none_that_is_too_weak",),
    ),
    Protection(
        "a secret is a line",
        FILES,
        "content.decode().splitlines()",
        "content.decode().split()",
        (f"{SOURCES}a_secret_is_a_line_and_may_hold_blanks",),
    ),
    Protection(
        "a secret of no use is told once",
        FILES,
        "if before is None or before[:2] != (content, authentication):",
        "if before is None or before:",
        (f"{SOURCES}a_secret_of_no_use_is_told_once_for_each_content",),
    ),
    Protection(
        "a folder that cannot be read is not an empty one",
        IN_FORCE,
        "        seen = self._seen if files is None else dict(self._look_at(files))\n",
        "        seen = dict(self._look_at(files or {}))\n",
        (f"{SOURCES}while_a_folder_cannot_be_read_all_mappings_stay_and_secrets_do_not",),
    ),
    Protection(
        "a file that is gone for a look",
        IN_FORCE,
        "            if file.absent < LOOKS_ABSENT:\n",
        "            if not file.absent:\n",
        (f"{SOURCES}a_file_that_is_gone_for_a_while_changes_nothing",),
    ),
    Protection(
        "a packaged mapping and the operator's secrets",
        IN_FORCE,
        "for name, path in packaged.items() if name not in self._own",
        "for name, path in packaged.items()",
        (f"{SOURCES}a_packaged_mapping_gets_the_operators_secrets_with_a_restart_only",),
    ),
    Protection(
        "one ce_source is one source",
        IN_FORCE,
        "if heard.isdisjoint(mapping.kafka_sources):",
        "if mapping.kafka_sources:",
        (f"{SOURCES}of_two_mappings_with_one_ce_source_the_later_is_not_taken",),
    ),
    Protection(
        "a broken mapping is awaited on the topic",
        f"{HERE}/understanding.py",
        "    if awaited is not None:\n",
        "    if awaited is None:\n",
        (f"{SOURCES}after_a_restart_a_broken_mapping_is_awaited_and_not_unknown",),
    ),
    Protection(
        "a broken mapping is awaited at the webhook",
        DESK,
        "raise UnknownSourceError if self.sources.awaited(name) is None else NotInForceError",
        "raise UnknownSourceError",
        (f"{UNIT}a_source_that_cannot_be_served_now_is_to_be_sent_again",),
    ),
    Protection(
        "a transaction holds so many events",
        f"{HERE}/kafka_door.py",
        "        if part and events > MOST_AT_ONCE:\n",
        "        if not part:\n",
        (f"{PIECES}records_of_many_events_are_taken_in_parts_that_one_transaction_can_hold",),
    ),
    Protection(
        "a group has a weight",
        "services/intake/group_commit.py",
        "            if weight > self._limits.heaviest:\n",
        "            if weight < 0:\n",
        (f"{GROUPS}items_share_a_commit_up_to_their_weight_and_a_heavier_one_goes_alone",),
    ),
    Protection(
        "who looks for refused events reads no others",
        f"{HERE}/log.py",
        "     and $3::text is distinct from 'refused'\n",
        "",
        (f"{PAYLOADS}refused_events_are_found_without_reading_the_others",),
    ),
    Protection(
        "a replay goes on behind what fails for good",
        DESK,
        "                answers += await self._retry_alone(name, each)\n",
        "                answers += await self._retry(name, each)\n",
        (f"{PAYLOADS}a_payload_that_fails_for_good_hinders_no_other",),
    ),
    Protection(
        "so many payloads of a source are kept",
        f"{HERE}/payloads.py",
        " and kept[arrival.source] < MOST_SEALED",
        "",
        (f"{PAYLOADS}of_one_source_so_many_refused_payloads_are_kept_and_none_that_is_too_large",),
    ),
    Protection(
        "a text is what a filing may hold",
        "shared/hotline/conversion.py",
        'return _NOT_IN_LINES.sub(" ", text(raw)).strip()',
        "return text(raw)",
        (f"{TEXTS}what_no_filing_may_hold_becomes_a_space_in_a_vendors_text",),
    ),
)
