"""What processing states from acceptance on, through the offices."""

from __future__ import annotations

from pydantic import PositiveInt

from shared.contracts.events.base import PROCESSING, CaseEvent
from shared.contracts.model import Code, Contract, Instant, Label, Reason, Slug
from shared.contracts.words import Channel, Regime


class Limit(Contract):
    """A time limit: so many working days, calendar days or hours."""

    type = "limit"

    count: PositiveInt
    unit: Slug


class CaseAccepted(CaseEvent):
    """An officer accepted the complete dossier: it has a code, and a due date where its limit is known.

    Decree 61/2018/NĐ-CP, art. 17.3. The committed limit makes `due_at`; the law's own makes `statutory_due_at`.
    `hand_over_by` is when the dossier must be with who resolves it (art. 18: the same working day, after 15:00 the next).
    """

    type = "case.accepted"
    stated_by = PROCESSING

    code: Code
    procedure: Code
    field: Slug
    channel: Channel
    procedure_version: PositiveInt | None = None
    committed: Limit | None = None
    statutory: Limit | None = None
    due_at: Instant | None = None
    statutory_due_at: Instant | None = None
    unit: Slug | None = None
    hand_over_by: Instant | None = None


class CaseRefused(CaseEvent):
    """Acceptance was refused, with the reason (Decree 61/2018/NĐ-CP, art. 17.1.b).

    `late`: after the procedure's own limit for refusing, as feedback has one (Decision 766/QĐ-TTg, 5.2).
    """

    type = "case.refused"
    stated_by = PROCESSING

    reason: Reason
    late: bool = False


class StepCompleted(CaseEvent):
    """An internal step, or an activity of an imported log, is done.

    `after_result`: a duty that follows the result, such as its publication; the case's status stays.
    """

    type = "case.step_completed"
    stated_by = PROCESSING

    step: Label
    unit: Slug | None = None
    after_result: bool = False


class CaseForwarded(CaseEvent):
    """The case went on to another unit or agency; its code stays (Decree 61/2018/NĐ-CP, art. 18).

    `answer_by` is when the receiver's share of the time limit has passed (art. 19.5 and 19.6).
    """

    type = "case.forwarded"
    stated_by = PROCESSING

    to_unit: Slug | None = None
    to_agency: Slug | None = None
    share_half_days: PositiveInt | None = None
    answer_by: Instant | None = None


class SupplementRequested(CaseEvent):
    """The applicant must complete the documents (form 02).

    `late` and `repeated` are breaches of another system that an import brings (Decree 61/2018/NĐ-CP, art. 19.4, 11.2.c).
    """

    type = "case.supplement_requested"
    stated_by = PROCESSING

    documents: tuple[Code, ...]
    reason: Reason
    until: Instant | None = None
    late: bool = False
    repeated: bool = False


class SupplementReceived(CaseEvent):
    """The documents are complete; the due date may be new, by the procedure's regime."""

    type = "case.supplement_received"
    stated_by = PROCESSING

    due_at: Instant | None = None
    statutory_due_at: Instant | None = None
    old_due_at: Instant | None = None
    regime: Regime | None = None


class PaymentRequested(CaseEvent):
    """A fee is due. The amount is in đồng."""

    type = "case.payment_requested"
    stated_by = PROCESSING

    amount_vnd: PositiveInt
    until: Instant | None = None


class PaymentReceived(CaseEvent):
    """The fee was paid. The amount is in đồng. The due dates moved by the time that the clock stood still."""

    type = "case.payment_received"
    stated_by = PROCESSING

    amount_vnd: PositiveInt
    due_at: Instant | None = None
    statutory_due_at: Instant | None = None
    old_due_at: Instant | None = None
