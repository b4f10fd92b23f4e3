"""The protections of the law: the requirements of the domain and what a hostile reading of the clock found."""

from __future__ import annotations

from tests.prove.protection import Protection

DOMAIN = "tests/unit/test_processing_requirements.py::test_requirement_"
SERVICES = "tests/integration/test_requirements.py::test_requirement_"
EXCEPTIONS = "tests/integration/test_exceptions.py::test_requirement_"
UNIT = "tests/unit/test_requirements.py::test_requirement_"
FINDINGS = "tests/unit/test_clock_findings.py::test_"
MACHINE, LIMITS = "services/processing/domain/machine.py", "services/processing/domain/limits.py"
GUARDS, TIMERS = "services/processing/domain/guards.py", "services/processing/domain/timers.py"
MEMORY = "shared/messaging/memory.py"

LAW = (
    Protection(
        "requirement 1: nothing before acceptance, and complete",
        MACHINE,
        "(guards.is_new, guards.is_complete, guards.has_own_deadline)",
        "(guards.is_new, guards.has_own_deadline)",
        (f"{DOMAIN}01_nothing_is_done_before_acceptance_and_only_a_complete_dossier_is_accepted",),
    ),
    Protection(
        "requirement 2: completion once",
        MACHINE,
        "(guards.is_first_supplement, guards.is_supplement_in_time, guards.has_until_ahead)",
        "(guards.is_supplement_in_time, guards.has_until_ahead)",
        (f"{DOMAIN}02_completion_is_asked_for_once_and_an_imports_second_time_is_flagged",),
    ),
    Protection(
        "requirement 3: by the third working day",
        MACHINE,
        "(guards.is_first_supplement, guards.is_supplement_in_time, guards.has_until_ahead)",
        "(guards.is_first_supplement, guards.has_until_ahead)",
        (f"{DOMAIN}03_completion_is_asked_for_by_the_third_working_day_unless_the_procedure_says_otherwise",),
    ),
    Protection(
        "requirement 4: a new clock from zero",
        LIMITS,
        "return count_from(stop[1], version, days)",
        "return due",
        (f"{DOMAIN}04_a_completed_dossier_has_a_new_clock_from_zero_and_history_keeps_the_old_due_date",),
    ),
    Protection(
        "requirement 5: one new appointment",
        MACHINE,
        "(guards.is_first_extension, guards.has_due_date, guards.is_later_day)",
        "(guards.has_due_date, guards.is_later_day)",
        (f"{DOMAIN}05_a_new_appointment_is_made_once_on_a_later_day_and_too_late_it_is_a_breach",),
    ),
    Protection(
        "requirement 5: too late is a breach",
        "services/processing/domain/acts.py",
        "breach=local_date(context.occurred_at) >= local_date(case.due_at)",
        "breach=local_date(context.occurred_at) > local_date(case.due_at)",
        (f"{DOMAIN}05_a_new_appointment_is_made_once_on_a_later_day_and_too_late_it_is_a_breach",),
    ),
    Protection(
        "requirement 6: the list of exceptions",
        "services/processing/repository/cases.py",
        "is_(filters.apology)",
        "is_(None)",
        (f"{EXCEPTIONS}06_every_overdue_and_open_dossier_without_apology_is_in_the_exception_list",),
    ),
    Protection(
        "requirement 7: no withdrawal of a decision",
        MACHINE,
        "        (guards.is_undecided,),\n",
        "        (),\n",
        (f"{DOMAIN}07_the_citizen_may_withdraw_until_a_decision_exists",),
    ),
    Protection(
        "requirement 8: serials of a local day",
        "services/processing/handlers/settling.py",
        "local_date(fact.occurred_at)) for fact, event in accepted]",
        "fact.occurred_at.date()) for fact, event in accepted]",
        (f"{SERVICES}08_serials_are_unique_and_without_a_gap_per_agency_and_local_day_however_many_accept_at_once",),
    ),
    Protection(
        "requirement 9: the last day rolls on",
        "shared/calendar/working_calendar.py",
        "            last = self._roll(accepted + count)\n",
        "            last = accepted + count\n",
        ("tests/unit/test_clock_vectors.py::test_an_accepted_dossier_is_due_on_the_day_that_was_worked_out_by_hand",),
    ),
    Protection(
        "requirement 9: a changed calendar is a fact",
        "services/processing/domain/recalculation.py",
        "if due_at is None or due == (case.due_at, case.statutory_due_at):",
        "if due_at is None or due is not None:",
        (f"{UNIT}09_a_changed_calendar_moves_an_open_due_date_by_a_fact_that_keeps_the_old_promise",),
    ),
    Protection(
        "requirement 11: filed when it is handed over",
        GUARDS,
        "if case.last_fact_at is not None and at < case.last_fact_at and",
        "if case.accepted_at is not None and at < case.accepted_at and",
        (f"{DOMAIN}11_a_postal_dossier_is_filed_when_it_is_handed_over_not_when_it_is_posted",),
    ),
    Protection(
        "requirement 12: the receiving unit keeps the case",
        GUARDS,
        "    if context.agency != case.agency and not (context.agency == case.holder and type(command) in OF_HOLDER):\n",
        "    if context.agency not in {case.agency, case.holder}:\n",
        (f"{DOMAIN}12_a_case_that_went_to_another_agency_keeps_its_code_and_comes_back_for_its_return",),
    ),
    Protection(
        "silence is no answer to a clock that stood still",
        TIMERS,
        "if on_time and _is_silence_approval(case, rules):",
        "if _is_silence_approval(case, rules):",
        (f"{FINDINGS}silence_does_not_overrule_an_officer_who_works_on_a_wrong_result_again_after_the_due_date",),
    ),
    Protection(
        "no appointment in the past",
        GUARDS,
        "NOT_LATER) if over or (case.due_at and",
        "NOT_LATER) if (case.due_at and",
        (f"{FINDINGS}a_new_appointment_is_never_in_the_past",),
    ),
    Protection(
        "requirement 13: a fact that comes twice",
        MEMORY,
        "        if sequence > last:\n",
        "        if sequence > 0:\n",
        (f"{SERVICES}13_an_event_that_comes_twice_sends_one_message_and_a_permanent_error_falls_back",),
    ),
    Protection(
        "requirement 10: sequences decide, not arrival",
        "services/metrics/domain/projection.py",
        "    if envelope.sequence <= case.status_sequence:\n",
        "    if not envelope.sequence:\n",
        (
            "tests/unit/test_metrics_histories.py::test_requirement_10_the_identities_hold_for_any_order_with_duplicates_and_late_facts",
        ),
    ),
    Protection(
        "requirement 14: contacts are sealed",
        "shared/security/key_ring.py",
        "return self.wrapped + nonce + self.aes.encrypt(nonce, plaintext, context_of(self.case_id, what))",
        "return self.wrapped + nonce + plaintext",
        (f"{SERVICES}14_personal_data_is_in_no_topic_no_log_and_no_series",),
    ),
    Protection(
        "silence waits for commands on their way",
        "services/processing/handlers/timers.py",
        "if not may_end and state.resolved_at",
        "if False and state.resolved_at",
        ("tests/integration/test_timers.py::test_silence_ends_no_case_while_commands_are_on_their_way",),
    ),
)
