"""What intake keeps of a case for the public: its code and the degree of completion.

The law lets anybody who knows the code see how far a dossier has come, and nothing else of it
(Decree 61/2018/NĐ-CP, art. 5.1.d and 17.3).
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.contracts.events import (
    CaseAccepted,
    CaseEvent,
    CaseRefused,
    CaseReopened,
    CaseResolved,
    CaseResumed,
    CaseReturned,
    CaseStopped,
)
from shared.contracts.words import StopKind


class Completion(StrEnum):
    """How far a case has come; a suspended case is still in process."""

    REGISTERED = "registered"
    IN_PROCESS = "in_process"
    STOPPED = "stopped"
    RESOLVED = "resolved"
    RETURNED = "returned"
    REFUSED = "refused"


WORDS: Final = MappingProxyType(
    {
        Completion.REGISTERED: ("Mới đăng ký", "Registered"),
        Completion.IN_PROCESS: ("Đang giải quyết", "In process"),
        Completion.STOPPED: ("Dừng giải quyết", "Stopped"),
        Completion.RESOLVED: ("Đã giải quyết xong", "Resolved"),
        Completion.RETURNED: ("Đã trả kết quả", "Result returned"),
        Completion.REFUSED: ("Không được tiếp nhận", "Acceptance refused"),
    }
)
"""Each degree in Vietnamese and English."""

FOLLOWED: Final[tuple[type[CaseEvent], ...]] = (
    CaseAccepted,
    CaseRefused,
    CaseStopped,
    CaseResumed,
    CaseResolved,
    CaseReturned,
    CaseReopened,
)
"""The events that move what the public sees."""


class Case(NamedTuple):
    """The public side of a case; both are None until a fact says them."""

    code: str | None = None
    completion: str | None = None


def follow(case: Case, event: CaseEvent) -> Case:
    """The case after the event; an event that says nothing about completion leaves it as it is."""
    degree = _DEGREES.get(type(event))
    if degree is None or (type(event) is CaseStopped and event.stop_kind is StopKind.SUSPENDED):
        return case
    return Case(event.code if type(event) is CaseAccepted else case.code, degree.value)


_DEGREES: Final[dict[type[CaseEvent], Completion]] = {
    CaseAccepted: Completion.IN_PROCESS,
    CaseRefused: Completion.REFUSED,
    CaseStopped: Completion.STOPPED,
    CaseResumed: Completion.IN_PROCESS,
    CaseResolved: Completion.RESOLVED,
    CaseReturned: Completion.RETURNED,
    CaseReopened: Completion.IN_PROCESS,
}
