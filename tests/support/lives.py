"""Lives of cases for tests: commands carried out by the machine, with the history that they leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from services.processing.domain.case import Case
from services.processing.domain.code import UNALLOTTED
from services.processing.domain.context import Context, Rejected
from services.processing.domain.machine import decide, evolve
from services.processing.domain.timeline import Recorded
from shared.calendar import ZONE, LimitUnit, WorkingCalendar, load_calendar
from shared.catalogue import CaseKind, Catalogue, Limit, LimitVersion, Name, Procedure, ServiceLevel, Supplement
from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.events import CaseAccepted, CaseEvent, CaseSubmitted
from shared.contracts.words import Channel, Kind, Origin, Regime

AGENCY = "ldtbxh-haiphong"
CODE = "000.00.07.H24-201217-0023"
PROCEDURE = "t.1"


def moment(text: str) -> datetime:
    """A moment in Viet Nam, `2020-12-17 09:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@lru_cache(maxsize=256)
def catalogue(
    committed: tuple[int, LimitUnit] | None, statutory: tuple[int, LimitUnit] | None, regime: Regime = Regime.RESTART
) -> Catalogue:
    """One procedure with these limits, whose supplements may be asked for at any time."""
    version = LimitVersion(
        version=1,
        statutory=Limit(count=statutory[0], unit=statutory[1]) if statutory else None,
        committed=Limit(count=committed[0], unit=committed[1]) if committed else None,
        valid_from=None,
        valid_to=None,
        decision=None,
        assumed=False,
        supplement=Supplement(regime=regime, within=None),
    )
    procedure = Procedure(
        code=PROCEDURE, name=Name(vi="Thử", en="Trial"), kind=CaseKind.DOSSIER, level=ServiceLevel.UNKNOWN, verified=False,
        sources=("test",), limits=(version,),
    )  # fmt: skip
    return Catalogue({PROCEDURE: procedure}, {PROCEDURE: "other"}, {})


@dataclass(slots=True)
class Life:
    """One case from its submission on."""

    known: Catalogue = field(repr=False)
    filed_at: datetime
    kind: Kind = Kind.DOSSIER
    calendar: WorkingCalendar = field(default_factory=load_calendar, repr=False)
    procedure: str = PROCEDURE
    case: Case = field(default_factory=Case, repr=False)
    history: list[Recorded] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        event = CaseSubmitted(
            agency=AGENCY, kind=self.kind, procedure=self.procedure, channel=Channel.COUNTER, filed_at=self.filed_at
        )
        self._take(event, self.filed_at)
        self.case = self.case._replace(origin=Origin.IMPORT)

    @property
    def told(self) -> list[tuple[str, str]]:
        """The history in short."""
        return [(each.event.type, f"{each.occurred_at:%Y-%m-%d %H:%M}") for each in self.history]

    def _take(self, event: CaseEvent, at: datetime) -> None:
        if isinstance(event, CaseAccepted) and event.code == UNALLOTTED:
            event = event.model_copy(update={"code": CODE})
        event = type(event).model_validate_json(event.model_dump_json())
        self.history.append(Recorded(UUID(int=len(self.history) + 1), event, at))
        self.case = evolve(self.case, event, at)

    def attempt(self, command: Command, at: datetime) -> Rejected | None:
        """Carry a command out; give why it was not."""
        context = Context(at, at, at, Origin.IMPORT, AGENCY, self.calendar, self.known, self.history)
        decided = decide(self.case, command, context)
        if isinstance(decided, Rejected):
            return decided
        for event in decided:
            self._take(event, at)
        return None

    def do(self, command: Command, at: str | datetime) -> Life:
        """Carry out a command that must be legal."""
        when = moment(at) if isinstance(at, str) else at
        rejected = self.attempt(command, when)
        assert rejected is None, (command, rejected)
        return self

    def state(self, event: CaseEvent, at: str) -> Life:
        """A fact that no command leads to."""
        self._take(event, moment(at))
        return self

    def version(self) -> LimitVersion | None:
        """The version that the case keeps."""
        return self.known.version(self.procedure, self.case.procedure_version) if self.case.procedure_version else None


def later(at: datetime, hours: int) -> datetime:
    """Some hours later."""
    return at + timedelta(hours=hours)


__all__ = ["AGENCY", "CODE", "PROCEDURE", "Life", "ask", "catalogue", "later", "moment"]
