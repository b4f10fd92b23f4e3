"""The protections of filing that `make prove` switches off: channels, keys, duplicates, first-time validity, connections."""

from __future__ import annotations

from tests.prove.protection import Protection

CHANNELS = "tests/unit/test_intake_channels.py::test_"
FILED = "tests/integration/test_intake_channels.py::test_"
KEYS = "tests/integration/test_intake_idempotency.py::test_"
FIRST = "tests/integration/test_first_filing.py::test_"
KEPT = "tests/integration/test_intake_database.py::test_"
VALIDITY = "tests/unit/test_metrics_validity.py::test_"
SUBMISSION, DUPLICATES = "services/intake/domain/submission.py", "services/intake/duplicates.py"
DATABASE = "shared/persistence/database.py"

FILING = (
    Protection(
        "facts of another channel",
        SUBMISSION,
        "    if value is not None and known is not None and known is not CHANNEL_OF",
        "    if value is None and known is not CHANNEL_OF",
        (f"{CHANNELS}the_facts_of_another_channel_are_faults_each_of_them",),
    ),
    Protection(
        "a hand-over is the filing",
        SUBMISSION,
        "return self.handed_over_at or self.filed_at",
        "return self.filed_at",
        (f"{CHANNELS}a_postal_dossier_is_filed_when_it_was_handed_over",),
    ),
    Protection(
        "a result has somewhere to go",
        "services/intake/domain/precheck.py",
        "and not (applicant.address or filed.return_address)",
        "and applicant is None",
        (f"{CHANNELS}the_pre_check_says_that_a_way_of_return_needs_a_place",),
    ),
    Protection(
        "missing documents beside other faults",
        "services/intake/handlers.py",
        "raise NotValidError(error.faults + missing_of(raw, rules), error.more) from None",
        "raise NotValidError(error.faults, error.more) from None",
        (f"{FILED}the_pre_check_lists_every_fault_and_every_missing_document",),
    ),
    Protection(
        "keys of sources are kept",
        "services/intake/forgetting.py",
        " and s.origin = 'live'",
        "",
        (f"{KEYS}old_keys_of_live_cases_are_forgotten_and_those_of_imports_never",),
    ),
    Protection(
        "young keys are kept",
        "services/intake/forgetting.py",
        " and i.created_at < now() - $3::interval",
        " and $3::interval is not null",
        (f"{KEYS}old_keys_of_live_cases_are_forgotten_and_those_of_imports_never",),
    ),
    Protection(
        "a pre-intake of the own agency",
        "services/intake/pre_intakes.py",
        'where id = $1 and agency = $2"',
        "where id = $1 and $2::text <> ''\"",
        ("tests/integration/test_pre_intakes.py::test_a_filing_names_a_pre_intake_of_its_own_agency_only",),
    ),
    Protection(
        "a suspicion in its case's lane",
        DUPLICATES,
        "lane=Lane(lane))",
        "lane=Lane.INTERACTIVE if lane else Lane(lane))",
        (f"{FILED}a_bulk_case_is_flagged_in_its_own_lane_behind_its_submission",),
    ),
    Protection(
        "of two cases one is flagged",
        DUPLICATES,
        "and o.case_id < b.case_id",
        "and o.case_id <> b.case_id",
        (f"{FILED}the_same_person_and_procedure_is_flagged_once_and_filed_all_the_same",),
    ),
    Protection(
        "two id numbers are two people",
        DUPLICATES,
        " and two_people is not true",
        "",
        (f"{FILED}who_is_the_same_person",),
    ),
    Protection(
        "no suspicion across agencies",
        DUPLICATES,
        " and o.agency = b.agency",
        "",
        (f"{FILED}neither_another_agency_nor_an_import_nor_a_filing_of_long_ago_is_a_duplicate",),
    ),
    Protection(
        "an erased person is not spoken of",
        DUPLICATES,
        "where p.case_id = u.case_id and not p.checked and exists (select from persons o where o.case_id = u.other)\n"
        "returning p.case_id\n",
        "where p.case_id = u.case_id and not p.checked returning p.case_id\n",
        (f"{FILED}nor_is_the_case_of_the_other_person_who_was_erased_meanwhile_named",),
    ),
    Protection(
        "an officer sees the suspicion",
        "services/processing/handlers/records.py",
        "type(delivery.body) is DuplicateSuspected or ",
        "",
        (f"{FIRST}an_officer_sees_a_suspected_duplicate_in_the_history",),
    ),
    Protection(
        "refused and filed again",
        "services/metrics/collectors/rows.py",
        "select o.refused_for_documents from",
        "select false from",
        (f"{FIRST}first_time_validity_is_a_share_of_the_received_whatever_comes_first",),
    ),
    Protection(
        "a suspicion is no part of a life",
        "services/metrics/domain/projection.py",
        "and event.type not in ASIDE",
        'and event.type != "case.command_rejected"',
        (f"{VALIDITY}a_suspicion_is_no_part_of_a_cases_life",),
    ),
    Protection(
        "a connection on which something failed is given up",
        DATABASE,
        "            connection.terminate()\n            raise\n",
        "            self._kept.append(connection)\n            raise\n",
        (f"{KEPT}a_connection_is_kept_until_something_fails",),
    ),
    Protection(
        "a connection that the server closed is not used again",
        DATABASE,
        "if not (kept := self._kept.pop()).is_closed():",
        "if kept := self._kept.pop():",
        (f"{KEPT}a_connection_that_the_server_closed_is_not_used_again",),
    ),
    Protection(
        "keys are found by their index, whenever the plan was made",
        "services/intake/repository.py",
        "cross join lateral (select * from idempotency i where i.scope = u.scope and i.key = u.key limit 1) i",
        "join idempotency i using (scope, key)",
        (f"{KEPT}keys_are_found_one_by_one_whatever_the_table_holds",),
    ),
)
