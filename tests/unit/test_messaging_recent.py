"""When most of what was read is parked."""

from __future__ import annotations

from shared.messaging.recent import LEAST, WINDOW_SECONDS, Recent


def test_few_parked_records_say_nothing_and_a_few_among_many_neither() -> None:
    recent = Recent()
    assert not recent.is_mostly_parked(LEAST)
    assert recent.is_mostly_parked(LEAST + 1)
    recent.add(taken=LEAST + 1, parked=0)
    assert not recent.is_mostly_parked(LEAST + 1)
    recent.add(taken=0, parked=1)
    assert recent.is_mostly_parked(LEAST + 1)


def test_what_is_older_than_ten_minutes_is_forgotten_and_memory_stays_bounded() -> None:
    times = [0.0]
    recent = Recent(lambda: times[-1])
    for _ in range(1000):
        recent.add(taken=1, parked=1)
    assert len(recent._buckets) == 1
    assert recent.is_mostly_parked(1)
    times.append(WINDOW_SECONDS + 1)
    assert not recent.is_mostly_parked(1)
    recent.add(taken=0, parked=0)
    assert len(recent._buckets) == 1
