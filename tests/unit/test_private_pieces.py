"""Small parts around what is private: where a page of keys goes on, and which failures of a look-up pass."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.intake import pre_intakes
from services.intake.group_commit import UnavailableError
from shared.problems import Problem
from shared.service.keys import SealedColumns, read_cursor

PLACES = (SealedColumns("cases", ("sealed",)), SealedColumns("outbox", ("payload",), "id", "bigint"))
KEY = "01a1e1e9-d728-7bfc-9416-0a1e8674dac6"


@pytest.mark.parametrize("cursor", ["0/abc", "0/7", "1/ab", f"1/{KEY}", f"1/{2**63}", "1/-1", "0/-", "1/-"])
def test_a_cursor_that_does_not_fit_its_place_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        read_cursor(cursor, PLACES)
    assert (refused.value.status, refused.value.more["errors"][0]["pointer"]) == (422, "/query/cursor")


@pytest.mark.parametrize(
    ("cursor", "read"),
    [
        ("", (0, "")), ("1/", (1, "")), (f"0/{KEY}", (0, KEY)), (f"1/{2**63 - 1}", (1, str(2**63 - 1))), ("9/abc", (9, "")),
        (f"0/0-1{UUID(KEY).hex[2:]}", (0, KEY)),
    ],
)  # fmt: skip
def test_a_cursor_is_read_as_the_database_writes_it(cursor: str, read: tuple[int, str]) -> None:
    assert read_cursor(cursor, PLACES) == read


class Broken:
    """A database that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @asynccontextmanager
    async def transaction(self) -> Any:
        raise self.error
        yield


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.InterfaceError("connection is closed"), UnavailableError),
        (asyncpg.InternalClientError("got result for unknown protocol state"), UnavailableError),
        (asyncpg.CannotConnectNowError(), UnavailableError),
        (OSError(), UnavailableError),
        (asyncpg.UndefinedTableError(), asyncpg.UndefinedTableError),
        (TypeError(), TypeError),
    ],
    ids=lambda each: getattr(each, "__name__", type(each).__name__),
)
async def test_a_look_up_that_fails_for_now_says_so(error: Exception, expected: type[Exception]) -> None:
    database: Any = Broken(error)
    with pytest.raises(expected):
        await pre_intakes.check(database, uuid4(), "test")
