"""`motcua calendar show | check FILE | apply FILE | set DATE KIND | remove DATE | hours [SPAN…]`: the city's calendar.

Holidays are OFF; a Saturday that is worked for a day off is WORK, and names that day. Open cases are counted again by themselves.
"""

from __future__ import annotations

import getpass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.asking import Stack
from deploy.cli.output import REFUSED, AsJson, refuse, show, table, wrong_usage
from shared.calendar import (
    ZONE,
    CalendarDay,
    CounterHoursError,
    DayFault,
    DayKind,
    DaysFileError,
    DayStatus,
    format_days,
    parse_hours,
    read_days,
)

SERVICE, PATH = "processing", "/v1/calendar"


class Kind(StrEnum):
    """What a day is."""

    OFF = "OFF"
    WORK = "WORK"


File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A CSV file, as `show --csv` prints it.")]
Day = Annotated[str, typer.Argument(metavar="DATE", help="A date such as 2026-08-31.")]
OfAgency = Annotated[str | None, typer.Option("--agency", help="An agency with hours of its own; all others if none.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Holidays, make-up Saturdays and counter hours.", no_args_is_help=True)
    group.command("show")(show_calendar)
    group.command("check")(check)
    group.command("apply")(apply)
    group.command("set")(set_day)
    group.command("remove")(remove_day)
    group.command("hours")(set_hours)
    app.add_typer(group, name="calendar")


def show_calendar(
    year: Annotated[int | None, typer.Option(help="Only this year.")] = None,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the days as the file that `apply` takes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the days that differ from the plain week, the counter hours, and how far open cases were counted again."""
    content = _ask("GET", "", params={"year": year})
    if as_csv:
        print(format_days(_day(each) for each in content["days"]), end="")
    else:
        show(content, as_json=as_json, human=as_text)


def check(file: File, *, as_json: AsJson = False) -> None:
    """Check a file of days without sending it; every fault is named by its line, status 1 if there is one."""
    _, days, faults = _read(file)
    result = {"ok": not faults, "days": len(days), "faults": [{"line": each.line, "rule": each.rule} for each in faults]}
    show(result, as_json=as_json, human=lambda _: _report(file, days, faults))
    if faults:
        raise typer.Exit(REFUSED)


def apply(file: File, *, as_json: AsJson = False) -> None:
    """Put the days of a file in the place of all days of their years: the whole file, or nothing of it."""
    raw, days, faults = _read(file)
    if faults:
        refuse(_report(file, days, faults))
    _done(_ask("PUT", "/days", file=raw), as_json=as_json)


def set_day(
    day: Day,
    kind: Annotated[Kind, typer.Argument(help="OFF: nobody works. WORK: a day of a weekend that is worked.")],
    name: Annotated[str, typer.Option("--name", help="What the day is called in Vietnamese.")],
    name_en: Annotated[str | None, typer.Option("--name-en", help="And in English; the same if none.")] = None,
    swap: Annotated[str | None, typer.Option(help="The other day of an exchange; it is set with this one.")] = None,
    status: Annotated[DayStatus, typer.Option(help="How sure it is.")] = DayStatus.VERIFIED,
    *,
    as_json: AsJson = False,
) -> None:
    """Set one day."""
    body = {"kind": kind.value, "name_vi": name, "name_en": name_en or name, "status": status.value}
    if swap is not None:
        body["swap"] = parse_date(swap).isoformat()
    _done(_ask("PUT", f"/days/{parse_date(day)}", body=body), as_json=as_json)


def remove_day(day: Day, *, as_json: AsJson = False) -> None:
    """Make a day a plain one again; the other day of its exchange, too."""
    _done(_ask("DELETE", f"/days/{parse_date(day)}"), as_json=as_json)


def set_hours(
    spans: Annotated[list[str] | None, typer.Argument(metavar="[SPAN]...", help="Such as 07:00-11:30 13:30-17:00.")] = None,
    agency: OfAgency = None,
    *,
    common: Annotated[bool, typer.Option("--common", help="Let the common hours hold for the agency again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set the counter hours of an agency, or those of all without their own; show them when none are given."""
    path = f"/hours/{agency}" if agency else "/hours"
    if common:
        if agency is None or spans:
            wrong_usage("--common takes an --agency and no hours")
        _done(_ask("DELETE", path), as_json=as_json)
    elif spans:
        try:
            parse_hours(spans)
        except CounterHoursError as error:
            wrong_usage(str(error))
        _done(_ask("PUT", path, body={"spans": spans}), as_json=as_json)
    else:
        content = _ask("GET", "", params={"year": 1})
        hours = {"hours": content["hours"], "agencies": content["agencies"]}
        show(hours, as_json=as_json, human=_hours_text)


def parse_date(text: str) -> date:
    """A date.

    Raises:
        CommandError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong_usage(f"{text!r} is not a date; write YYYY-MM-DD")


def _ask(method: str, path: str, **content: Any) -> dict[str, Any]:
    try:
        user = f"local-{getpass.getuser()}"
    except (OSError, KeyError):  # a container's user has no name
        user = "local"
    answer = Stack(user).ask(SERVICE, f"{PATH}{path}", method=method, **content)
    return answer if answer is not None else refuse("the processing service knows no calendar: is it of this version?")


def _read(file: Path) -> tuple[bytes, tuple[CalendarDay, ...], tuple[DayFault, ...]]:
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse(f"{file} is not UTF-8")
    return raw, *read_days(text.splitlines(keepends=True))


def _report(file: Path, days: tuple[CalendarDay, ...], faults: tuple[DayFault, ...]) -> str:
    if faults:
        return "\n".join(f"{file}, line {fault.line}: {fault.rule}" for fault in faults)
    years = sorted({day.on.year for day in days})
    return f"{file}: {len(days)} days of {', '.join(map(str, years)) or 'no year'}, no fault"


def _done(content: dict[str, Any], *, as_json: bool) -> None:
    kept = {name: content[name] for name in ("revision", "years", "hours", "agencies")}
    show(kept, as_json=as_json, human=lambda _: f"the calendar stands at revision {content['revision']}")


def as_text(content: dict[str, Any]) -> str:
    """The calendar for people."""
    rows = [["date", "", "kind", "ngày / day", "swapped with", "source"]]
    rows += [
        [
            each["date"],
            each["weekday"],
            each["kind"],
            f"{each['name_vi']} / {each['name_en']}",
            each["swap"] or "-",
            each["status"],
        ]
        for each in content["days"]
    ]
    head = f"revision {content['revision']}, years {', '.join(map(str, content['years']))}"
    if content["provisional_years"]:
        head += f"; not announced yet: {', '.join(map(str, content['provisional_years']))}"
    parts = [head, table(rows), _hours_text(content)]
    sweep = content["recalculation"]
    if sweep and sweep["cases"]:
        ended = f"ended {_at(sweep['ended_at'])}" if sweep["ended_at"] else "goes on"
        parts.append(
            f"counted again for revision {sweep['revision']}: {sweep['cases']:,} open cases, "
            f"{sweep['moved']:,} with another due date, {ended}"
        )
    return "\n\n".join(parts)


def _hours_text(content: dict[str, Any]) -> str:
    lines = [f"counter hours: {' '.join(content['hours'])}"]
    lines += [f"  {agency}: {' '.join(spans)}" for agency, spans in content["agencies"].items()]
    return "\n".join(lines)


def _at(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def _day(each: dict[str, Any]) -> CalendarDay:
    swap = date.fromisoformat(each["swap"]) if each["swap"] else None
    on, kind, status = date.fromisoformat(each["date"]), DayKind(each["kind"]), DayStatus(each["status"])
    try:
        return CalendarDay(on, kind, each["name_vi"], each["name_en"], status, swap)
    except DaysFileError as error:
        refuse(f"the service sent a day that no calendar has: {error}")
