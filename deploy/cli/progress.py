"""A progress bar on standard error; a line now and then where that is no terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.output import say


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function that is told what is done, how much, and of how much."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(title).report
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{title}: {what}", total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield report


class _Lines:
    """A line for each quarter that is done."""

    def __init__(self, title: str) -> None:
        self._title, self._said = title, set[tuple[str, int]]()

    def report(self, what: str, done: int, total: int) -> None:
        quarter = 4 * done // max(total, 1)
        if (what, quarter) not in self._said:
            self._said.add((what, quarter))
            say(f"{self._title}: {what} {done}/{total}")
