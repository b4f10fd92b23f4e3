"""Random histories of cases as processing could state them, and their figures recomputed by hand, fact after fact in order.

Nothing here is shared with the projection: one walk over the whole history in its true order, with plain variables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from shared.calendar import local_date
from shared.contracts import events as ev
from shared.contracts.envelope import Envelope
from shared.contracts.words import Channel, Kind, Origin, Outcome, StopKind, Timeliness

History = list[tuple[Envelope, ev.CaseEvent]]

AFTER: dict[str, tuple[str, ...]] = {
    "registered": ("accept", "accept", "accept", "refuse", "ask_early", "withdraw_early"),
    "running": (
        "step", "step", "forward", "ask", "pay", "extend", "recount", "suspend", "terminate", "withdraw", "resolve", "resolve",
        "correct_acceptance", "note",
    ),
    "asked": ("complete", "withdraw", "suspend", "terminate", "recount"),
    "paying": ("paid", "withdraw", "suspend", "resolve"),
    "withdrawing": ("resume", "stop_withdrawn"),
    "suspended": ("resume",),
    "ended": ("resume",),
    "resolved": ("return", "reopen", "correct_resolution", "correct_acceptance", "duty"),
    "returned": ("reopen", "correct_return", "correct_resolution", "duty"),
    "asked early": ("accept_completed", "withdraw_early"),
    "refused": (), "gone": (),
}  # fmt: skip


@dataclass(slots=True)
class Walk:
    """One case's history in the making."""

    random: Random
    agency: str
    kind: Kind
    case_id: UUID
    at: datetime
    history: History = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    ids: dict[str, UUID] = field(default_factory=dict)
    widest: int = 6000

    def state(self, event: type[ev.CaseEvent], **body: Any) -> None:
        """One more fact, at most `widest` minutes later."""
        self.at += timedelta(minutes=self.random.randrange(1, self.widest))
        made = event(agency=self.agency, kind=self.kind, **body)
        self.numbers[made.stated_by] += 1
        identity, source = UUID(int=self.random.getrandbits(128)), f"/{made.stated_by}"
        self.ids[made.type] = identity
        number = self.numbers[made.stated_by]
        self.history.append(
            (
                Envelope(
                    str(identity), made.type, source, str(self.case_id), self.agency, self.at, self.at, Origin.REPLAY, number
                ),
                made,
            )
        )

    def day(self) -> datetime | None:
        """Some due date around now, or none."""
        return None if self.random.random() < 0.2 else self.at + timedelta(hours=self.random.randrange(-200, 900))

    def correct(self, fact: type[ev.CaseEvent], **follows: Any) -> None:
        """A fact really happened somewhat earlier."""
        earlier = self.at - timedelta(minutes=self.random.randrange(1, 9000))
        body = {"event_id": self.ids[fact.type], "reason": "wrong_date_entered", "corrected": fact.type, "occurred_at": earlier}
        self.state(ev.CaseCorrected, **(body | follows))

    def timeliness(self) -> Timeliness:
        """Any."""
        return self.random.choice(list(Timeliness))


def random_history(random: Random, start: datetime, agency: str = "ldtbxh", kind: Kind = Kind.DOSSIER) -> History:
    """A history of up to twenty facts that the state machine could have stated."""
    walk = Walk(random, agency, kind, UUID(int=random.getrandbits(128)), start + timedelta(hours=random.randrange(2000)))
    walk.state(ev.CaseSubmitted, procedure="1.001806", channel=Channel.ONLINE, filed_at=walk.at)
    place = "registered"
    for _ in range(random.randrange(20)):
        if not AFTER[place]:
            break
        place = _go(walk, random.choice(AFTER[place]), place)
    return walk.history


def _go(walk: Walk, move: str, place: str) -> str:  # noqa: PLR0911, PLR0912, C901 - one line a move
    due: dict[str, Any] = {"due_at": walk.day(), "statutory_due_at": walk.day()}
    match move:
        case "accept" | "accept_completed":
            version = walk.random.choice((1, 2))
            committed = ev.Limit(count=10, unit="working_days") if version == 2 else None
            walk.state(
                ev.CaseAccepted, code="X", procedure="1.001806", field="social-protection", channel=Channel.ONLINE,
                procedure_version=version, committed=committed, statutory=ev.Limit(count=15, unit="working_days"), **due,
            )  # fmt: skip
            return "running"
        case "refuse":
            walk.state(ev.CaseRefused, reason="incomplete")
            return "refused"
        case "ask_early" | "ask":
            walk.state(ev.SupplementRequested, documents=("d",), reason="incomplete")
            return "asked" if move == "ask" else "asked early"
        case "withdraw_early":
            walk.state(ev.WithdrawalRequested)
            return "gone"
        case "step":
            walk.state(ev.StepCompleted, step="examine")
        case "forward":
            walk.state(ev.CaseForwarded, to_agency=walk.random.choice(("health", walk.agency)))
        case "pay":
            walk.state(ev.PaymentRequested, amount_vnd=5)
            return "paying"
        case "extend":
            new = walk.at + timedelta(days=walk.random.randrange(1, 60))
            walk.state(ev.CaseExtended, old_due_at=walk.at, new_due_at=new, reason="complex", apology="issued")
        case "recount":
            new_law = walk.day()
            walk.state(
                ev.DueDateRecalculated, old_due_at=None, new_due_at=walk.day(), reason="calendar_changed",
                old_statutory_due_at=walk.at, new_statutory_due_at=new_law,
            )  # fmt: skip
            return place
        case "suspend":
            walk.state(ev.CaseStopped, stop_kind=StopKind.SUSPENDED, reason="awaiting_court_decision")
            return "suspended"
        case "terminate":
            walk.state(ev.CaseStopped, stop_kind=StopKind.TERMINATED, reason="no_answer")
            return "ended"
        case "withdraw":
            walk.state(ev.WithdrawalRequested)
            return "withdrawing"
        case "stop_withdrawn":
            walk.state(ev.CaseStopped, stop_kind=StopKind.WITHDRAWN, reason="applicant_asked")
            return "ended"
        case "resume":
            walk.state(ev.CaseResumed, reason="obstacle_removed", **due)
            return "running"
        case "complete":
            walk.state(ev.SupplementReceived, **due)
            return "running"
        case "paid":
            walk.state(ev.PaymentReceived, amount_vnd=5, **due)
            return "running"
        case "resolve":
            walk.state(ev.CaseResolved, outcome=walk.random.choice(list(Outcome)), timeliness=walk.timeliness())
            return "resolved"
        case "return":
            walk.state(ev.CaseReturned, channel=walk.random.choice((Channel.COUNTER, Channel.POST)))
            return "returned"
        case "reopen":
            walk.state(ev.CaseReopened, reason="wrong_result")
            return "running"
        case "duty":
            walk.state(ev.StepCompleted, step="publish", after_result=True)
            return place
        case "note":
            walk.state(ev.CaseCorrected, event_id=UUID(int=1), reason="wrong_date_entered", corrected="case.step_completed")
        case "correct_acceptance":
            said = walk.timeliness() if place in ("resolved", "returned") else None
            walk.correct(ev.CaseAccepted, **due, timeliness=said)
            return place
        case "correct_resolution":
            walk.correct(ev.CaseResolved, timeliness=walk.timeliness())
            return place
        case "correct_return":
            walk.correct(ev.CaseReturned)
            return place
    return "running"


@dataclass(slots=True)
class Told:
    """What one history tells, read from its beginning to its end."""

    received_at: datetime | None = None
    resolved_at: datetime | None = None
    returned_at: datetime | None = None
    outcome: str | None = None
    timeliness: str | None = None
    due_at: datetime | None = None
    statutory_due_at: datetime | None = None
    stopped_at: datetime | None = None
    status: int = 1
    left: bool = False
    version: int | None = None
    steps: int = 0


RUNS = {
    ev.CaseAccepted: 2, ev.CaseRefused: 3, ev.StepCompleted: 4, ev.CaseForwarded: 4, ev.SupplementReceived: 4,
    ev.PaymentReceived: 4, ev.CaseResumed: 4, ev.CaseReopened: 4, ev.CaseResolved: 9, ev.CaseReturned: 10,
}  # fmt: skip
STANDS: dict[type[ev.CaseEvent], int] = {
    ev.SupplementRequested: 5, ev.PaymentRequested: 6, ev.WithdrawalRequested: 7, ev.CaseStopped: 8,
}  # fmt: skip


def tell(history: History) -> Told:
    """Read one history in its order."""
    told = Told()
    for envelope, event in history:
        _place(told, envelope.occurred_at, event)
        _tell(told, envelope.occurred_at, event)
    return told


def _place(told: Told, at: datetime, event: ev.CaseEvent) -> None:
    kind = type(event)
    if isinstance(event, ev.StepCompleted):
        told.steps += 1
        if event.after_result:
            return
    if kind in RUNS:
        told.status, told.stopped_at, told.left = RUNS[kind], None, False
    elif kind in STANDS:
        told.status, told.stopped_at = STANDS[kind], told.stopped_at or at
        told.left = kind is ev.WithdrawalRequested or (
            isinstance(event, ev.CaseStopped) and event.stop_kind is not StopKind.SUSPENDED
        )


def _tell(told: Told, at: datetime, event: ev.CaseEvent) -> None:  # noqa: C901 - one case a fact
    match event:
        case ev.CaseAccepted():
            told.received_at, told.version = at, event.procedure_version
            told.due_at, told.statutory_due_at = event.due_at, event.statutory_due_at
        case ev.SupplementReceived() | ev.PaymentReceived() | ev.CaseResumed():
            told.due_at, told.statutory_due_at = event.due_at or told.due_at, event.statutory_due_at or told.statutory_due_at
        case ev.CaseExtended():
            told.due_at = event.new_due_at
        case ev.DueDateRecalculated():
            told.due_at, told.statutory_due_at = event.new_due_at, event.new_statutory_due_at
        case ev.CaseResolved():
            told.resolved_at, told.outcome, told.timeliness = at, event.outcome, event.timeliness
        case ev.CaseReturned():
            told.returned_at = at
        case ev.CaseReopened():
            told.resolved_at = told.returned_at = told.outcome = told.timeliness = None
        case ev.CaseCorrected(occurred_at=datetime() as true_at):
            if event.corrected == "case.accepted":
                told.received_at, told.due_at, told.statutory_due_at = true_at, event.due_at, event.statutory_due_at
            elif event.corrected == "case.resolved":
                told.resolved_at = true_at
            else:
                told.returned_at = true_at
            told.timeliness = event.timeliness or told.timeliness


def figures_by_hand(histories: Iterable[History], clock: datetime) -> dict[str, Any]:
    """Stock and turnaround of these histories at a moment, as `/v1/figures` names them."""
    cases = [told for told in map(tell, histories) if told.received_at is not None]
    resolved = [told for told in cases if told.resolved_at is not None]
    still = [told for told in cases if told.resolved_at is None and not told.left]
    judged = [(told, min(clock, told.stopped_at or clock)) for told in still]
    spans = [(t.resolved_at - t.received_at).total_seconds() for t in resolved if t.resolved_at and t.received_at]
    known = [span for span in spans if span >= 0]
    today = local_date(clock)
    running = [told for told in still if told.stopped_at is None or local_date(told.stopped_at) > today]
    return {
        "received": len(cases),
        "resolved": len(resolved),
        "returned": sum(told.returned_at is not None for told in resolved),
        "open": len(still),
        "left": len(cases) - len(resolved) - len(still),
        "overdue": sum(t.due_at is not None and local_date(t.due_at) < local_date(at) for t, at in judged),
        "overdue_statutory": sum(
            t.statutory_due_at is not None and local_date(t.statutory_due_at) < local_date(at) for t, at in judged
        ),
        "due_soon": sum(t.due_at is not None and local_date(t.due_at) == today for t in running),
        "without_due_date": sum(told.due_at is None for told in still),
        "timeliness": {word.value: sum(told.timeliness == word for told in resolved) for word in Timeliness},
        "measured": len(known),
        "turnaround": sum(known),
        "statuses": dict(Counter(told.status for told in still)),
        "versions": dict(Counter(told.version for told in cases)),
        "resolved_by_version": dict(Counter(told.version for told in resolved)),
    }
