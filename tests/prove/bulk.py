"""Protections of bulk uploads, of filing a file, and of those who wait beside them."""

from __future__ import annotations

from typing import Final

from tests.prove.protection import Protection

_LINES: Final = "tests/unit/test_intake_bulk.py::test_"
_GROUP: Final = "tests/unit/test_intake_group_commit.py::test_"
_FILING: Final = "tests/unit/test_filing.py::test_"
_LAG: Final = "tests/unit/test_messaging_lag.py::test_"
_JOURNAL, _SEND, _DRIVER = "deploy/filing/journal.py", "deploy/filing/send.py", "deploy/filing/driver.py"
_COMMITS, _BRAKE = "services/intake/group_commit.py", "shared/messaging/lag.py"

BULK: Final = (
    Protection(
        "a client that reads no answers is not read",
        "services/intake/bulk.py",
        "asyncio.Queue(PARTS_IN_FLIGHT)",
        "asyncio.Queue()",
        (f"{_LINES}a_client_that_reads_no_answers_is_not_read_further",),
    ),
    Protection(
        "a large chunk does not keep others waiting",
        "services/intake/bulk.py",
        "len(part) == LINES_AT_ONCE or size >= BYTES_AT_ONCE",
        "False",
        (f"{_LINES}others_get_their_turn_while_a_large_chunk_is_taken",),
    ),
    Protection(
        "a dry run files nothing",
        "services/intake/routes/bulk.py",
        "(make_check if dry_run else make_take)",
        "make_take",
        ("tests/integration/test_intake_bulk.py::test_a_dry_run_of_a_bulk_upload_files_nothing",),
    ),
    Protection(
        "of items that came together each has its own answer",
        _COMMITS,
        "        self.together.tell(self.place, error)\n",
        "        self.together.tell(0, error)\n",
        (f"{_GROUP}items_that_came_together_are_answered_together_and_each_for_itself",),
    ),
    Protection(
        "no second transaction for less than a group",
        _COMMITS,
        " and len(self._queue) >= self._limits.most)",
        ")",
        (f"{_GROUP}a_second_transaction_runs_beside_the_first_only_when_a_whole_group_waits",),
    ),
    Protection(
        "a filing goes on where it was",
        _JOURNAL,
        "        new.replace(path)\n",
        "        new.unlink()\n",
        (f"{_FILING}an_interrupted_run_goes_on_where_it_was",),
    ),
    Protection(
        "a journal is believed by its own intake only",
        _DRIVER,
        "if not await is_same_intake(intake, found):",
        "if False:",
        (f"{_FILING}a_journal_of_another_content_or_another_intake_is_not_believed",),
    ),
    Protection(
        "a journal is of one content",
        _DRIVER,
        "(found.digest, found.intake, found.agency) != (new.digest, new.intake, new.agency)",
        "found.intake != new.intake",
        (f"{_FILING}a_journal_of_another_content_or_another_intake_is_not_believed",),
    ),
    Protection(
        "refused lines are told once",
        _SEND,
        "refused.truncate(journal.refused_bytes)",
        "refused.flush()",
        (f"{_FILING}what_was_written_but_not_in_the_journal_is_not_told_twice",),
    ),
    Protection(
        "a line that was not committed is sent again",
        "deploy/history/services.py",
        ' and not any(line["status"] in PASSING for line in lines)',
        "",
        (f"{_FILING}a_part_with_lines_that_were_not_committed_is_sent_again",),
    ),
    Protection(
        "what was sent counts as unread",
        _BRAKE,
        "            self._behind += count\n",
        "            self._behind += 0\n",
        (f"{_LAG}what_was_sent_since_the_last_answer_counts_as_unread",),
    ),
)
