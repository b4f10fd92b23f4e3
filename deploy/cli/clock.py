"""`motcua clock CASE [--json]`: where the legal clock of a case stands, and why; Vietnamese first, English second."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.cli.asking import Stack
from deploy.cli.output import AsJson, refuse, show
from shared.calendar import ZONE

STATES = {"not_started": "chưa chạy", "running": "đang chạy", "stopped": "đang dừng", "ended": "đã kết thúc"}
COLOURS = {"running": "green", "stopped": "yellow", "ended": "blue", "not_started": "dim"}
DAY_COLOURS = {"counted": "green", "off": "dim", "stopped": "yellow", "added": "cyan", "rolled": "cyan"}
DAY_SECONDS, HOUR_SECONDS = 86_400, 3600
PAPER_WIDTH = 130
"""Columns where there is no terminal."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(clock)


def clock(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id or code of the case, such as 000.00.07.H24-201217-0023.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Explain the legal clock of a case: what ran and what stood still, day by day, with the articles of law."""
    stack = Stack("local-clock")
    show(ask(stack, case), as_json=as_json, human=as_text)


def ask(stack: Stack, case: str) -> dict[str, Any]:
    """The clock of a case, by its id or its code.

    Raises:
        CommandError: No such case, or the service does not answer.
    """
    found = stack.ask("processing", f"/v1/cases/{_id_of(stack, case)}/clock")
    return found or refuse(f"no case has the id or the code {case}")


def _id_of(stack: Stack, case: str) -> str:
    try:
        return str(UUID(case))
    except ValueError:
        page = stack.ask("processing", "/v1/cases", params={"code": case, "limit": 1})
    items = page["items"] if page else []
    return str(items[0]["case_id"]) if items else refuse(f"no case has the id or the code {case}")


def as_text(content: dict[str, Any]) -> str:
    """The explanation for people, as wide as the terminal, in colours only there."""
    width = None if sys.stdout.isatty() else PAPER_WIDTH
    console = Console(file=io.StringIO(), force_terminal=sys.stdout.isatty(), width=width, highlight=False)
    for part in _parts(content):
        console.print(part)
    written: io.StringIO = console.file  # type: ignore[assignment]
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def _parts(content: dict[str, Any]) -> Iterable[RenderableType]:
    yield _head(content)
    yield _facts(content)
    if content["segments"]:
        yield _segments(content["segments"])
        yield Text(
            f"Cộng: {_elapsed(content['turnaround_seconds'])}, giờ làm việc khi chạy {_working(content['working_seconds_used'])}"
            f"  ·  turnaround, and working time while it ran\n"
        )
    if content["due_dates"]:
        yield _due_dates(content["due_dates"])
    if content["count"]:
        yield _count(content["count"])


def _head(content: dict[str, Any]) -> Panel:
    state = content["state"]
    title = f"{content['code'] or content['case_id']}  ·  {STATES[state]} / {state.replace('_', ' ')}"
    left = Text(f"{content['left']['vi']}  ·  {content['left']['en']}", style="bold red" if content["overdue"] else "bold")
    summary, english = Text(content["summary"]["vi"]), Text(content["summary"]["en"], style="dim")
    return Panel(Group(left, Text(""), summary, english), title=title, border_style=COLOURS[state], title_align="left")


def _facts(content: dict[str, Any]) -> Table:
    """Dates and limits that exist."""
    rows = [
        ("Giờ nghiệp vụ", "business time", f"{_at(content['business_time'])} ({content['mode']})"),
        ("Thời hạn cam kết", "committed limit", _limit(content["committed"])),
        ("Thời hạn theo luật", "statutory limit", _limit(content["statutory"])),
        ("Quyết định", "decision", _decision(content)),
        ("Tiếp nhận", "accepted", _at(content["accepted_at"])),
        ("Chuyển xử lý trước", "hand over by", _at(content["hand_over_by"])),
        ("Hẹn trả lần đầu", "first promise", _at(content["promised_due_at"])),
        ("Hẹn trả", "due", _at(content["due_at"])),
        ("Hạn theo luật", "due by law", _at(content["statutory_due_at"])),
        ("Cơ quan khác trả lời trước", "answer by", _at(content["answer_by"])),
        ("Công dân phải làm trước", "applicant until", _at(content["until"])),
        ("Việc sau kết quả", "duty after the result", f"{content['duty']}: {_at(content['duty_by'])}" if content["duty"] else ""),
        ("Kết thúc", "ended", _at(content["ended_at"])),
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 1))
    for vietnamese, english, value in rows:
        if value:
            table.add_row(vietnamese, Text(english, style="dim"), value)
    return table


def _decision(content: dict[str, Any]) -> str:
    assumed = "giả định, chưa kiểm chứng / assumed" if content["assumed"] else ""
    return "; ".join(part for part in (content["decision"], assumed) if part)


def _segments(segments: list[dict[str, Any]]) -> Table:
    table = _table("Các khoảng thời gian / Segments", "Từ / From", "Đến / To", "Đồng hồ / Clock", "Vì sao / Why", "Ngày / Days")
    table.add_column("Thời gian / Time", justify="right")
    for segment in segments:
        running = segment["state"] == "running"
        why = _both(segment["why"], segment["article"], _skipped(segment["skipped"]))
        state = Text("chạy / runs" if running else "dừng / stands", style=COLOURS[segment["state"]])
        time = f"{_elapsed(segment['elapsed_seconds'])}\n({_working(segment['working_seconds'])} làm việc)"
        days = f"{segment['counted_days']}  (lần {segment['count']})" if running else "-"
        table.add_row(_at(segment["from"]), _at(segment["to"]), state, why, days, time)
    return table


def _skipped(days: list[dict[str, Any]]) -> str:
    if not days:
        return ""
    named = ", ".join(f"{date.fromisoformat(day['date']):%d/%m} {day['vi']}" for day in days)
    return f"Không tính / not counted: {named}"


def _due_dates(changes: list[dict[str, Any]]) -> Table:
    table = _table("Các ngày hẹn / Due dates", "Hẹn trả / Due", "Theo luật / By law", "Đặt lúc / Set at", "Vì sao / Why")
    for change in changes:
        due = Text(_at(change["due_at"]) or "-", style="bold")
        why = _both(change["why"], change["article"], "")
        if change["breach"]:
            why.append("\nVI PHẠM / BREACH", style="bold red")
        table.add_row(due, _at(change["statutory_due_at"]), _at(change["at"]), why)
    return table


def _count(count: dict[str, Any]) -> RenderableType:
    limit = _limit(count["limit"]) or "không có thời hạn / no limit"
    title = f"Cách tính hạn / How the due date is counted: {limit}, từ / from {_at(count['from'])}"
    if not count["days"]:
        stopped = f" + {_elapsed(count['stopped_seconds'])} (dừng / stood still)" if count["stopped_seconds"] else ""
        return Text(f"{title}{stopped} = {_at(count['due_at'])}")
    table = _table(title, "Ngày / Day", "", "Tính / Counts", "")
    for day in count["days"]:
        on, style = date.fromisoformat(day["date"]), DAY_COLOURS[day["state"]]
        number = str(day["number"]) if day["number"] else "-"
        table.add_row(f"{on:%d/%m/%Y}", Text(number, style=style), Text(day["vi"], style=style), Text(day["en"], style="dim"))
    if count["provisional"]:
        table.caption = "Tạm tính: lịch nghỉ chưa công bố đủ / provisional: not all days off are announced"
    if not count["complete"]:
        table.caption = "Hạn này không còn khớp với lịch hiện nay / this due date no longer fits the calendar of today"
    return table


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _both(why: dict[str, str], article: dict[str, str] | None, more: str) -> Text:
    text = Text(why["vi"])
    text.append(f"\n{why['en']}", style="dim")
    if article:
        text.append(f"\n{article['vi']}", style="italic")
    if more:
        text.append(f"\n{more}", style="dim")
    return text


def _limit(limit: dict[str, Any] | None) -> str:
    if limit is None:
        return ""
    units = {"working_days": "ngày làm việc", "calendar_days": "ngày", "hours": "giờ"}
    return f"{limit['count']} {units.get(limit['unit'], limit['unit'])} / {limit['count']} {limit['unit'].replace('_', ' ')}"


def _at(text: str | None) -> str:
    """A moment in Viet Nam's time, to the minute."""
    return f"{datetime.fromisoformat(text).astimezone(ZONE):%d/%m/%Y %H:%M}" if text else ""


def _elapsed(seconds: float) -> str:
    days, rest = divmod(round(seconds), DAY_SECONDS)
    hours, rest = divmod(rest, HOUR_SECONDS)
    return (f"{days} ngày " if days else "") + f"{hours:02}:{rest // 60:02}:{rest % 60:02}"


def _working(seconds: float) -> str:
    hours, rest = divmod(round(seconds), HOUR_SECONDS)
    return f"{hours} giờ {rest // 60:02}"
