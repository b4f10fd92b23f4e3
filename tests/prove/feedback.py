"""The protections of feedback: its limits by law, and what citizens say of a case."""

from __future__ import annotations

from tests.prove.protection import Protection

FEEDBACK = "tests/unit/test_feedback.py::test_"
FILING = "tests/unit/test_feedback_filing.py::test_"
SERVICES = "tests/integration/test_feedback.py::test_"
MACHINE, LIMITS = "services/processing/domain/machine.py", "services/processing/domain/limits.py"
TIMERS, EFFECTS = "services/processing/domain/timers.py", "services/processing/domain/effects.py"
GUARDS, SUBMISSION = "services/processing/domain/guards.py", "services/intake/domain/submission.py"

OF_FEEDBACK = (
    Protection(
        "feedback: a late refusal is a breach",
        "services/processing/domain/acts.py",
        "context.calendar.is_overdue(local_date(refuse_by), context.occurred_at)",
        "context.occurred_at is None",
        (f"{FEEDBACK}feedback_is_refused_within_two_working_days_and_later_is_a_breach",),
    ),
    Protection(
        "feedback: undecided is raised",
        TIMERS,
        "    Status.REGISTERED: _registered,\n",
        "",
        (f"{FEEDBACK}nobody_decides_about_feedback_in_two_working_days_and_the_head_hears_of_it",),
    ),
    Protection(
        "feedback: undecided is watched from the filing",
        "services/processing/handlers/records.py",
        "    await _watch(work, [case_id for case_id, _, _ in heard], rules)\n",
        "",
        (f"{SERVICES}feedback_that_nobody_decides_about_is_raised_after_two_working_days",),
    ),
    Protection(
        "feedback: no limit of its own for a dossier's refusal",
        LIMITS,
        "case.submitted_at is None or case.kind != Kind.FEEDBACK",
        "case.submitted_at is None or case.kind != Kind.DOSSIER",
        (f"{FEEDBACK}feedback_is_refused_within_two_working_days_and_later_is_a_breach",),
    ),
    Protection(
        "feedback: five working days to forward it",
        LIMITS,
        "        hand_over_by(accepted_at, days, version.forward_within),\n",
        "        hand_over_by(accepted_at, days),\n",
        (f"{FEEDBACK}feedback_is_with_a_unit_or_an_authority_within_five_working_days",),
    ),
    Protection(
        "feedback: not forwarded in time is raised by the day",
        TIMERS,
        "by_date=within is not None)",
        "by_date=False)",
        (f"{FEEDBACK}feedback_is_with_a_unit_or_an_authority_within_five_working_days",),
    ),
    Protection(
        "feedback: an answer is published",
        "services/processing/domain/acts.py",
        "frozenset({Outcome.GRANTED, Outcome.ANSWERED})",
        "frozenset({Outcome.GRANTED})",
        (f"{FEEDBACK}an_answer_is_published_within_two_working_days",),
    ),
    Protection(
        "a call moves no case's time",
        MACHINE,
        "OUTSIDE_ORDER = OF_TIME | {ContactRecorded, CaseRated, CaseLinked}",
        "OUTSIDE_ORDER = OF_TIME | {CaseRated, CaseLinked}",
        (f"{FEEDBACK}a_strangers_call_forbids_no_officer_what_was_done_a_moment_before_it",),
    ),
    Protection(
        "a call is told whatever came after it",
        GUARDS,
        "at < case.last_fact_at and type(command) not in STAYS_TRUE:",
        "at < case.last_fact_at:",
        (f"{FEEDBACK}a_strangers_call_forbids_no_officer_what_was_done_a_moment_before_it",),
    ),
    Protection(
        "a tie moves no case's time",
        MACHINE,
        "OUTSIDE_ORDER = OF_TIME | {ContactRecorded, CaseRated, CaseLinked}",
        "OUTSIDE_ORDER = OF_TIME | {ContactRecorded, CaseRated}",
        (f"{FEEDBACK}a_tie_is_kept_and_forbids_nothing_whatever_came_first",),
    ),
    Protection(
        "a tie is kept whatever came after it",
        GUARDS,
        "STAYS_TRUE = frozenset({ask.RecordContact, ask.Rate, ask.Link})",
        "STAYS_TRUE = frozenset({ask.RecordContact, ask.Rate})",
        (f"{FEEDBACK}a_tie_is_kept_and_forbids_nothing_whatever_came_first",),
    ),
    Protection(
        "a citizen opens a case again whatever was done meanwhile",
        "services/processing/handlers/settling.py",
        "    return max(at, case.last_fact_at) if of_citizen and case.last_fact_at is not None else at\n",
        "    return at\n",
        (f"{FEEDBACK}the_citizens_word_is_not_lost_when_an_officer_acts_while_it_is_on_its_way",),
    ),
    Protection(
        "only of a citizen, who sees no time of the last fact",
        "services/processing/handlers/settling.py",
        "type(asked.command) is Reopen and asked.envelope.source == OF_INTAKE",
        "type(asked.command) is Reopen",
        (f"{FEEDBACK}the_citizens_word_is_not_lost_when_an_officer_acts_while_it_is_on_its_way",),
    ),
    Protection(
        "no call of tomorrow",
        "services/processing/domain/beside.py",
        "min(command.at or context.occurred_at, context.occurred_at)",
        "command.at or context.occurred_at",
        (f"{FEEDBACK}nobody_has_asked_tomorrow_even_by_a_clock_that_is_ahead",),
    ),
    Protection(
        "the last contact is the latest",
        EFFECTS,
        "max(case.contacted_at, event.at)",
        "event.at",
        (f"{FEEDBACK}a_case_counts_who_asked_after_it_and_knows_the_last_one",),
    ),
    Protection(
        "only an end is rated",
        MACHINE,
        "frozenset({Status.REFUSED, RESOLVED, RETURNED})",
        "ANYTIME",
        (f"{FEEDBACK}only_an_end_is_rated_and_a_task_by_nobody",),
    ),
    Protection(
        "no task is rated",
        MACHINE,
        "(guards.has_applicant,)",
        "()",
        (f"{FEEDBACK}only_an_end_is_rated_and_a_task_by_nobody",),
    ),
    Protection(
        "a rating belongs to its answer",
        EFFECTS,
        '"duty", "duty_by", "score"',
        '"duty", "duty_by"',
        (f"{FEEDBACK}the_citizen_opens_it_again_and_rates_the_next_answer",),
    ),
    Protection(
        "matters are a closed list",
        SUBMISSION,
        "if matter not in known:",
        "if False:",
        (f"{FILING}a_matter_that_is_not_listed_is_a_fault_that_names_the_list",),
    ),
    Protection(
        "only feedback has a matter",
        SUBMISSION,
        'info.data.get("kind", Kind.FEEDBACK) is not Kind.FEEDBACK',
        "False",
        (f"{FILING}a_dossier_has_no_matter",),
    ),
)
