"""A case's life without servers: small procedures of every kind, and commands that must be legal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.processing.domain.case import Case, changed
from services.processing.domain.limits import missing_documents
from services.processing.domain.machine import Context, Rejected, decide, evolve
from shared.calendar import LimitUnit, load_calendar
from shared.catalogue import CaseKind, Catalogue, Limit, LimitVersion, Name, Procedure, ServiceLevel
from shared.catalogue.conduct import AfterResult, Document, Supplement
from shared.contracts.commands import Command
from shared.contracts.events import CaseEvent, CaseSubmitted
from shared.contracts.words import Channel, Kind, Lane, Origin, Regime

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AGENCY = "ldtbxh-haiphong"
DAY = timedelta(days=1)
NAME = Name(vi="Thử", en="Trial")


def local(text: str) -> datetime:
    """A moment in Viet Nam: `2021-03-01 09:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def days(count: int, unit: LimitUnit = LimitUnit.WORKING_DAYS) -> Limit:
    """A limit."""
    return Limit(count=count, unit=unit)


def procedure(code: str, statutory: Limit | None, committed: Limit | None = None, **changes: Any) -> Procedure:
    """A procedure with one version."""
    version = LimitVersion(
        version=1, statutory=statutory, committed=committed, valid_from=None, valid_to=None, decision=None, assumed=False,
        **changes,
    )  # fmt: skip
    return Procedure(
        code=code, name=NAME, kind=CaseKind.DOSSIER, level=ServiceLevel.UNKNOWN, verified=statutory is not None,
        sources=("test",), limits=(version,),
    )  # fmt: skip


def _supplement(regime: Regime) -> dict[str, Any]:
    return {"supplement": Supplement(regime=regime)}


PROCEDURES = [
    procedure("t.restart", days(15), days(10)),
    procedure("t.extend", days(15), days(10), **_supplement(Regime.EXTEND)),
    procedure("t.subtract", days(15), days(10), **_supplement(Regime.SUBTRACT)),
    procedure("t.calendar", days(12, LimitUnit.CALENDAR_DAYS), **_supplement(Regime.EXTEND)),
    procedure("t.hours", days(12, LimitUnit.HOURS), **_supplement(Regime.EXTEND)),
    procedure("t.sector", days(20), supplement=Supplement(within=days(10), until=days(30, LimitUnit.CALENDAR_DAYS))),
    procedure("t.duty", days(10), after_result=AfterResult(step="publish", name=NAME, limit=days(2))),
    procedure(
        "t.papers",
        days(10),
        documents=(
            Document(code="request", name=NAME, required=True),
            Document(code="licence", name=NAME, required=True),
            Document(code="photo", name=NAME, required=False),
        ),
    ),
    procedure("t.unknown", None),
]
KNOWN = Catalogue({each.code: each for each in PROCEDURES}, {each.code: "other" for each in PROCEDURES}, {})


def context(at: datetime, **changes: Any) -> Context:
    """A live command that happens, is written down and is decided at one moment."""
    return replace(Context(at, at, at, Origin.LIVE, AGENCY, load_calendar(), KNOWN), **changes)


def submission(code: str, at: datetime, **changes: Any) -> CaseSubmitted:
    """What intake states."""
    plain: dict[str, Any] = {"agency": AGENCY, "kind": Kind.DOSSIER, "channel": Channel.COUNTER, "return_channel": Channel.POST}
    return CaseSubmitted(**plain | {"procedure": code, "filed_at": at, "lane": Lane.BULK} | changes)


def submitted(code: str, at: datetime, **changes: Any) -> Case:
    """A case that was just opened, as the handler opens it."""
    event = submission(code, at, **changes)
    return changed(evolve(Case(), event, at), {"missing": missing_documents(code, at, event.documents, KNOWN)})


def facts(case: Case, command: Command, at: datetime, **changes: Any) -> list[CaseEvent]:
    """What a legal command states."""
    decided = decide(case, command, context(at, **changes))
    assert isinstance(decided, list), decided
    return decided


def refusal(case: Case, command: Command, at: datetime, **changes: Any) -> str:
    """Why a command is not carried out."""
    decided = decide(case, command, context(at, **changes))
    assert isinstance(decided, Rejected), decided
    return decided.reason.value


def after(case: Case, at: datetime, *commands: Command, **changes: Any) -> Case:
    """The case after commands that must all be legal."""
    for command in commands:
        for event in facts(case, command, at, **changes):
            case = evolve(case, event, at)
    return case
