"""The closed vocabularies of the contract: one enumeration per idea, shared by every event, command and series."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a case is: a dossier (hồ sơ), feedback from a citizen, or a task that the city assigns."""

    DOSSIER = "dossier"
    FEEDBACK = "feedback"
    TASK = "task"


class Channel(StrEnum):
    """How a case is filed, or how its result is returned (Decree 61/2018/NĐ-CP, art. 16).

    The hotline is no filing channel for dossiers: it receives feedback only (art. 15.2.b).
    """

    COUNTER = "counter"
    ONLINE = "online"
    POST = "post"
    HOTLINE = "hotline"


NATIONAL_CHANNELS = MappingProxyType({Channel.COUNTER: 1, Channel.ONLINE: 2, Channel.POST: 3})
"""The codes by which the national systems know a filing channel (`KenhThucHien`); the hotline has none."""


class OnlineLevel(StrEnum):
    """How much of a procedure is done online: filing with papers that follow, or everything (toàn trình)."""

    PARTIAL = "partial"
    FULL = "full"


class Origin(StrEnum):
    """Whether a fact happens now, is a simulated year under historical time, or comes from another system's log."""

    LIVE = "live"
    REPLAY = "replay"
    IMPORT = "import"


class Lane(IntEnum):
    """The outbox lane of a case, fixed when it is submitted: a campaign in bulk never delays a counter."""

    INTERACTIVE = 0
    BULK = 1


class Status(IntEnum):
    """The ten national status codes of a dossier."""

    REGISTERED = 1
    ACCEPTED = 2
    REFUSED = 3
    IN_PROCESS = 4
    SUPPLEMENT_REQUESTED = 5
    PAYMENT_REQUESTED = 6
    WITHDRAWAL_REQUESTED = 7
    STOPPED = 8
    RESOLVED = 9
    RETURNED = 10


class Outcome(StrEnum):
    """What the resolution says; a refusal after appraisal is a result too (Decree 61/2018/NĐ-CP, art. 19.8)."""

    GRANTED = "granted"
    REFUSED = "refused"
    ANSWERED = "answered"
    NO_OBJECTION = "no_objection"
    """The limit passed without an objection, where the law lets that take effect (Labour Code 2019, art. 119-121)."""


class Timeliness(StrEnum):
    """The local date of the resolution against the due date."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"
    NO_DUE_DATE = "no_due_date"


class StopKind(StrEnum):
    """Why a case stands still: only a suspended one stays in the backlog."""

    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


class Regime(StrEnum):
    """What a supplement does to the time limit, set per procedure.

    RESTART counts it again from the start once the dossier is complete (Decree 61/2018/NĐ-CP, art. 19.4); EXTEND moves the
    due date by the time that the dossier was away; SUBTRACT leaves the due date and takes that time off the time used.
    """

    RESTART = "restart"
    EXTEND = "extend"
    SUBTRACT = "subtract"


class DayKind(StrEnum):
    """An exceptional day: nobody works (OFF), or a Saturday or Sunday is worked in exchange for a day off (WORK)."""

    OFF = "OFF"
    WORK = "WORK"


class ClockMode(StrEnum):
    """Whether an agency's business clock is real time, or stands at a moment of the past."""

    LIVE = "live"
    HISTORICAL = "historical"


class CallOutcome(StrEnum):
    """How a call to the hotline ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"


class ContactVia(StrEnum):
    """How a citizen asked after a case."""

    CALL = "call"
    TICKET = "ticket"


class Rejection(StrEnum):
    """Why a command was not carried out."""

    UNKNOWN_CASE = "unknown_case"
    ILLEGAL_TRANSITION = "illegal_transition"
    OUT_OF_ORDER = "out_of_order"
    IN_THE_FUTURE = "in_the_future"
    PAST_NOT_ALLOWED = "past_not_allowed"
    WRONG_AGENCY = "wrong_agency"
    EXPIRED = "expired"
    NOT_SUPPORTED = "not_supported"
    DOCUMENTS_MISSING = "documents_missing"
    REASON_MISSING = "reason_missing"
    SUPPLEMENT_USED = "supplement_used"
    SUPPLEMENT_TOO_LATE = "supplement_too_late"
    EXTENSION_USED = "extension_used"
    NO_DUE_DATE = "no_due_date"
    NOT_LATER = "not_later"
    DECISION_EXISTS = "decision_exists"
    WRONG_AMOUNT = "wrong_amount"
    SHARE_TOO_LONG = "share_too_long"
    UNKNOWN_EVENT = "unknown_event"
    NOT_CORRECTABLE = "not_correctable"
