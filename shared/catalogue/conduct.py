"""How a case of a procedure is conducted: its documents, internal steps, supplement, and duties after the result."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field as Setting
from pydantic import model_validator

from shared.calendar import LimitUnit
from shared.catalogue.entry import Entry, Limit, Name, Slug, Text, broken
from shared.catalogue.faults import Rule
from shared.contracts.words import Regime

QUARTERS: Final = 4
"""Quarter days in a working day: the smallest budget of a step in practice."""


class Document(Entry):
    """A document of the dossier (thành phần hồ sơ). `copies` says how many and of which kind, where it is known.

    An assumed one was found in no source: it is listed as a hint, and nobody may be turned away for it (Decree
    61/2018/NĐ-CP, art. 5 forbids asking papers beyond the published list).
    """

    code: Slug
    name: Name
    required: bool
    assumed: bool = False
    copies: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.assumed and self.required:
            raise broken(Rule.ASSUMED_IS_OPTIONAL, f"the document {self.code!r} is assumed and cannot be required")
        return self


class Step(Entry):
    """An internal step (quy trình nội bộ) with its budget in quarters of a working day; None is unknown.

    `role` is who does it. A step that is not `counted`, such as handing over the result, is outside the time limit.
    """

    step: Slug
    name: Name
    role: Slug
    quarter_days: Annotated[int, Setting(ge=1, le=40_000)] | None
    counted: bool = True


class Supplement(Entry):
    """How completion is asked for, once for each case.

    `within`: how long after acceptance it may be asked for; three working days unless sector law says otherwise (Decree
    61/2018/NĐ-CP, art. 19.4). `until`: how long the citizen has; None is unknown, and such a request has no end of its own.
    """

    regime: Annotated[Regime, Setting(strict=False)] = Regime.RESTART
    within: Limit | None = Limit(count=3, unit=LimitUnit.WORKING_DAYS)
    until: Limit | None = None


class AfterResult(Entry):
    """A duty that follows the result, with a limit of its own counted from the result (a second timer)."""

    step: Slug
    name: Name
    limit: Limit


def quarters_of(steps: tuple[Step, ...]) -> int | None:
    """What the counted steps take together, in quarter days; None when the budget of one is unknown."""
    budgets = [step.quarter_days for step in steps if step.counted]
    return None if None in budgets else sum(budget for budget in budgets if budget is not None)
