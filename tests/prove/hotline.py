"""What `make prove` switches off of the hotline as a whole: proven before it is parsed, committed before it is answered, once."""

from __future__ import annotations

from tests.prove.protection import Protection

HOSTILE = "tests/integration/test_hotline_hostile.py::test_"
RECORDS = "tests/integration/test_hotline_hostile_records.py::test_"
AGAIN = "tests/integration/test_hotline_repetitions.py::test_"
BOOK = "tests/integration/test_hotline_feeds.py::test_"
PIECES = "tests/unit/test_hotline_hostile_pieces.py::test_"
COUNTS = "tests/unit/test_feeds.py::test_"
HERE = "services/intake/hotline"
ROUTES = "services/intake/routes/hotline.py"

HOTLINE = (
    Protection(
        "hotline: proven before it is parsed",
        ROUTES,
        "        known = _prove(desk, gate, request, source, body)\n",
        '        if b"{" not in body:\n            raise Problem(400, "malformed", "The body cannot be read", reason="?")\n'
        "        known = _prove(desk, gate, request, source, body)\n",
        (f"{HOSTILE}a_proof_that_proves_nothing_is_refused_with_a_reason_and_costs_nothing",),
    ),
    Protection(
        "hotline: a body has a size",
        ROUTES,
        "        if len(body) > LARGEST_PAYLOAD:\n            raise too_large(LARGEST_PAYLOAD)\n",
        "",
        (f"{HOSTILE}a_body_too_large_packed_or_framed_in_two_ways_is_refused",),
    ),
    Protection(
        "hotline: what is no name is asked of no database",
        ROUTES,
        "    if not SOURCE.fullmatch(name):\n",
        "    if not name:\n",
        (f"{HOSTILE}what_an_integrator_asks_for_is_never_a_failure_of_ours",),
    ),
    Protection(
        "hotline: a cursor is one of ours",
        ROUTES,
        "        if KEY.fullmatch(key):\n",
        "        if key:\n",
        (f"{HOSTILE}what_an_integrator_asks_for_is_never_a_failure_of_ours",),
    ),
    Protection(
        "hotline: committed before it is answered",
        f"{HERE}/desk.py",
        "        return await self.lane.submit(arrival) if arrival.understood else ()\n",
        "        if arrival.understood:\n"
        "            self.lane.submit(arrival)\n"
        "        return [Taken(each.event_id, EventOutcome.ACCEPTED) for each in arrival.understood]\n",
        (f"{AGAIN}nobody_is_answered_before_the_commit",),
    ),
    Protection(
        "hotline: an event that was taken before",
        f"{HERE}/taking.py",
        "    known = await find_known(",
        "    ours |= first.keys()\n    known = await find_known(",
        (f"{AGAIN}twenty_at_once_of_every_kind_have_one_effect_and_the_same_answer",),
    ),
    Protection(
        "hotline: one transaction for a ticket and its case",
        f"{HERE}/cases.py",
        "    opened = frozenset(await repository.open_new(driver, [make_row(case, keys, work.now) for case in cases]))\n",
        "    async with work.store.database.transaction() as other:\n"
        "        rows = [make_row(case, keys, work.now) for case in cases]\n"
        "        opened = frozenset(await repository.open_new(other.driver, rows))\n",
        (f"{AGAIN}what_fails_on_the_way_leaves_nothing_and_can_be_sent_again",),
    ),
    Protection(
        "hotline: an unreadable attribute is refused, not parked",
        f"{HERE}/kafka_door.py",
        "        except HeaderError as error:\n",
        "        except HeaderError as error:\n            raise RuntimeError from error\n",
        (f"{RECORDS}a_bad_record_is_refused_with_its_rule_and_its_neighbours_are_taken",),
    ),
    Protection(
        "hotline: a record's time is its writer's word",
        f"{HERE}/kafka_door.py",
        "min(max(record.timestamp, 0), LATEST_MS)",
        "max(record.timestamp, 0)",
        (f"{PIECES}a_record_of_any_time_is_read",),
    ),
    Protection(
        "hotline: one version of CloudEvents",
        f"{HERE}/understanding.py",
        "if attributes.get(SPEC_VERSION, VERSION) != VERSION:",
        'if attributes.get(SPEC_VERSION) == "":',
        (f"{PIECES}another_version_of_cloudevents_is_refused_at_every_door",),
    ),
    Protection(
        "hotline: a number that was passed over is missing",
        "services/intake/domain/feed.py",
        "                gaps.append(Gap(highest + 1, number - 1))\n",
        "                pass\n",
        (f"{COUNTS}a_number_that_was_passed_over_is_missing_and_one_that_comes_late_splits_the_gap_and_closes_it",),
    ),
    Protection(
        "hotline: a late number closes its gap",
        "services/intake/domain/feed.py",
        "    gaps[place : place + 1] = _without(gaps[place], number)\n",
        "",
        (f"{COUNTS}a_number_that_was_passed_over_is_missing_and_one_that_comes_late_splits_the_gap_and_closes_it",),
    ),
    Protection(
        "hotline: a call is stated once",
        f"{HERE}/calls.py",
        "where stated_at is null and end_heard_at <= $1 and",
        "where end_heard_at <= $1 and",
        (f"{BOOK}a_call_is_stated_once_however_its_events_come",),
    ),
)
