"""What is said beside a case's way: causes, milestones, ties to other cases, and what citizens say about it."""

from __future__ import annotations

from services.processing.domain.acts import about
from services.processing.domain.case import Case
from services.processing.domain.context import Context, Decision
from shared.contracts import commands as ask
from shared.contracts import events as fact


def record_cause(case: Case, command: ask.RecordCause, _context: Context) -> Decision:
    """Why the case was late."""
    return [fact.CauseRecorded(**about(case), cause=command.cause)]


def reach_milestone(case: Case, command: ask.ReachMilestone, _context: Context) -> Decision:
    """A task's progress."""
    return [fact.MilestoneReached(**about(case), milestone=command.milestone, percent=command.percent)]


def link(case: Case, command: ask.Link, _context: Context) -> Decision:
    """The case belongs together with another one."""
    return [fact.CaseLinked(**about(case), other_case_id=command.other_case_id, reason=command.reason)]


def record_contact(case: Case, command: ask.RecordContact, context: Context) -> Decision:
    """A citizen asked after the case, now or a little ago; a call centre's clock that is ahead moves no call into the future."""
    return [
        fact.ContactRecorded(
            **about(case),
            via=command.via,
            source=command.source,
            at=min(command.at or context.occurred_at, context.occurred_at),
            other_case_id=command.other_case_id,
        )
    ]


def rate(case: Case, command: ask.Rate, _context: Context) -> Decision:
    """How content the citizen is with the answer."""
    return [fact.CaseRated(**about(case), score=command.score)]
