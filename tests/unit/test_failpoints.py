"""Failpoints are inert unless they are set, and do what the setting says."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from shared.observability import failpoints
from shared.observability.failpoints import ARMED, EXIT_STATUS, PLACES, Failpoint, reach, read_failpoints


async def test_nothing_is_armed_and_every_place_is_passed() -> None:
    assert ARMED == {}
    for place in PLACES:
        await reach(place)


def test_a_setting_is_read() -> None:
    assert read_failpoints("after_commit=exit:0.01;before_publish=sleep:2:0.5") == {
        "after_commit": Failpoint("exit", 0.01, 0.0),
        "before_publish": Failpoint("sleep", 2.0, 0.5),
    }


@pytest.mark.parametrize("text", ["somewhere=exit:1", "after_commit=explode:1", "after_commit=exit:often", "after_commit"])
def test_a_place_or_an_action_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the number's own message
        read_failpoints(text)


async def test_the_chosen_pass_fails_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "ARMED", read_failpoints("after_commit=raise:2"))
    await reach("after_commit")
    with pytest.raises(ConnectionResetError):
        await reach("after_commit")
    await reach("after_commit")
    await reach("before_commit")


async def test_a_process_exits_at_its_place() -> None:
    program = "import asyncio; from shared.observability.failpoints import reach; asyncio.run(reach('after_send'))"
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], env={"MOTCUA_FAILPOINTS": "after_send=exit:1"}, check=False
    )
    assert ended.returncode == EXIT_STATUS
