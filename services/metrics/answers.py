"""The bodies of HTTP answers, and how they are made of figures and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pydantic import AwareDatetime, BaseModel

from services.metrics.domain.figures import Figures, Span, Stock
from shared.contracts.words import ClockMode, Status

Row = Any
"""A row of the driver, by column name."""

WORKING_DAY_SECONDS = 8 * 3600


class ClockAnswer(BaseModel):
    """An agency's business clock: `at` is where it stands."""

    mode: ClockMode
    at: AwareDatetime


class SpanAnswer(BaseModel):
    """Lengths of time over several cases, in seconds; percentiles by linear interpolation."""

    cases: int
    mean_seconds: float | None
    percentiles: dict[str, float]


class StockAnswer(BaseModel):
    """received = resolved + open + left; `overdue` and `due_soon` are measured on the committed limit."""

    received: int
    resolved: int
    returned: int
    left: int
    open: int
    overdue: int
    overdue_statutory: int
    due_soon: int
    without_due_date: int
    timeliness: dict[str, int]
    turnaround: SpanAnswer
    working_turnaround: SpanAnswer


class TasksAnswer(BaseModel):
    """Tasks of one field, which the city assigned: assigned = done + open + left.

    `on_schedule_ratio` is the share that was done by its deadline, or is open before it; null where no deadline is known.
    """

    field: str
    assigned: int
    done: int
    left: int
    open: int
    overdue: int
    without_due_date: int
    milestones: int
    scheduled: int
    on_schedule: int
    on_schedule_ratio: float | None


class SatisfactionAnswer(BaseModel):
    """How often citizens rated an answer, and the mean of 1 (not at all content) to 5."""

    ratings: int
    mean_score: float | None


class FiguresAnswer(StockAnswer):
    """An agency's figures: those of what applicants filed (dossiers and feedback), by kind, and its tasks.

    `log_span` runs from the first to the last fact of each case that an applicant filed; `satisfaction` is null for the past.
    """

    agency: str
    as_of: AwareDatetime | None
    clock: ClockAnswer
    simulated: bool
    origins: dict[str, int]
    log_span: SpanAnswer
    steps: int
    by_kind: dict[str, StockAnswer]
    tasks: list[TasksAnswer]
    satisfaction: SatisfactionAnswer | None = None


class BacklogItem(BaseModel):
    """Open cases of one kind, field and national status."""

    kind: str
    field: str
    status: str
    cases: int
    overdue: int
    overdue_statutory: int
    due_soon: int
    without_due_date: int
    oldest_at: AwareDatetime


class BacklogAnswer(BaseModel):
    """An agency's backlog."""

    agency: str
    clock: ClockAnswer
    open: int
    items: list[BacklogItem]


class TurnaroundItem(BaseModel):
    """Resolved cases of one kind and field (`all`: every field) in the window."""

    kind: str
    field: str
    resolved: int
    on_time: int
    late: int
    turnaround: SpanAnswer
    working_turnaround: SpanAnswer


class TurnaroundAnswer(BaseModel):
    """An agency's turnaround in a window that ends at its business clock."""

    agency: str
    window: str
    clock: ClockAnswer
    items: list[TurnaroundItem]


class LimitAnswer(BaseModel):
    """A time limit: so many working days, calendar days or hours."""

    count: int
    unit: str


class ProcedureItem(BaseModel):
    """Cases of one procedure that were accepted under one version of its limits.

    `in_force` is the limit that makes the appointment: the committed one, else the law's own. Working days have eight hours.
    """

    kind: str
    field: str
    procedure: str
    version: int | None
    statutory: LimitAnswer | None
    committed: LimitAnswer | None
    in_force: LimitAnswer | None
    first_at: AwareDatetime
    last_at: AwareDatetime
    received: int
    resolved: int
    open: int
    on_time: int
    late: int
    mean_seconds: float | None
    mean_working_days: float | None


class ProceduresAnswer(BaseModel):
    """An agency's cases by procedure and version."""

    agency: str
    clock: ClockAnswer
    items: list[ProcedureItem]


def procedures_answer(agency: str, clock: ClockAnswer, rows: Sequence[Row]) -> ProceduresAnswer:
    """The answer of `/v1/turnaround/procedures`."""
    return ProceduresAnswer(agency=agency, clock=clock, items=[_procedure(row) for row in rows])


def _procedure(row: Row) -> ProcedureItem:
    committed, statutory, working = _limit(row["committed"]), _limit(row["statutory"]), row["working_mean"]
    return ProcedureItem(
        **{name: row[name] for name in ("kind", "field", "procedure", "version", "first_at", "last_at")},
        **{name: row[name] for name in ("received", "resolved", "open", "on_time", "late")},
        statutory=statutory,
        committed=committed,
        in_force=committed or statutory,
        mean_seconds=row["mean"],
        mean_working_days=None if working is None else working / WORKING_DAY_SECONDS,
    )


def _limit(text: str | None) -> LimitAnswer | None:
    if text is None:
        return None
    count, unit = text.split(" ", 1)
    return LimitAnswer(count=int(count), unit=unit)


def figures_answer(figures: Figures) -> FiguresAnswer:
    """The answer of `/v1/figures`."""
    return FiguresAnswer(
        agency=figures.agency,
        as_of=figures.as_of,
        clock=ClockAnswer(mode=figures.clock.mode, at=figures.business_at),
        simulated=figures.simulated,
        origins=figures.origins,
        log_span=SpanAnswer(**asdict(figures.log_span)),
        steps=figures.steps,
        by_kind={kind: StockAnswer(**_stock(stock)) for kind, stock in figures.by_kind.items()},
        tasks=[TasksAnswer(**asdict(each), on_schedule_ratio=each.on_schedule_ratio) for each in figures.tasks],
        satisfaction=SatisfactionAnswer(**asdict(figures.satisfaction)) if figures.satisfaction else None,
        **_stock(figures.total),
    )


def _stock(stock: Stock) -> dict[str, Any]:
    return asdict(stock)


def backlog_answer(agency: str, clock: ClockAnswer, rows: Sequence[Row]) -> BacklogAnswer:
    """The answer of `/v1/backlog`."""
    items = [BacklogItem(**{**dict(row), "status": Status(row["status"]).name.lower()}) for row in rows]
    return BacklogAnswer(agency=agency, clock=clock, open=sum(item.cases for item in items), items=items)


def turnaround_answer(agency: str, window: str, clock: ClockAnswer, rows: Sequence[Row]) -> TurnaroundAnswer:
    """The answer of `/v1/turnaround`."""
    items = [
        TurnaroundItem(
            kind=row["kind"],
            field=row["field"],
            resolved=row["resolved"],
            on_time=row["on_time"],
            late=row["late"],
            turnaround=_span(row["measured"], row["mean"], row["shares"]),
            working_turnaround=_span(row["measured"], row["working_mean"], row["working_shares"]),
        )
        for row in rows
    ]
    return TurnaroundAnswer(agency=agency, window=window, clock=clock, items=items)


def _span(cases: int, mean: float | None, shares: list[float | None] | None) -> SpanAnswer:
    return SpanAnswer(**asdict(Span.of(cases, mean, shares)))
