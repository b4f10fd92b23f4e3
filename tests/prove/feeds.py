"""What `make prove` switches off of calls and feeds: stated once, counted once, and nothing beyond reason kept."""

from __future__ import annotations

from tests.prove.protection import Protection

BOOK = "tests/integration/test_hotline_feeds.py::test_"
TABLES = "tests/integration/test_hotline_counts.py::test_"
FIGURES = "tests/integration/test_hotline_figures.py::test_"
OF_CALLS, OF_COUNTS, OF_FACTS = (f"tests/unit/test_{name}.py::test_" for name in ("hotline_calls", "feeds", "feed_facts"))
CALLS, FEEDS, WATCHING = (f"services/intake/hotline/{name}.py" for name in ("calls", "feeds", "watching"))
CALL, COUNT = "services/intake/domain/call.py", "services/intake/domain/feed.py"
TAKING, FACTS = "services/metrics/repository/feeds.py", "services/metrics/domain/feeds.py"

FEEDS_AND_CALLS = (
    Protection(
        "calls: nothing changes one that was stated",
        CALLS,
        "order by 1)\nwhere c.stated_at is null",
        "order by 1)",
        (f"{BOOK}what_comes_after_a_call_was_stated_counts_as_late_and_changes_nothing",),
    ),
    Protection(
        "calls: only what is new is folded",
        CALLS,
        "if each.outcome is EventOutcome.ACCEPTED and said",
        "if said",
        (f"{BOOK}what_was_not_newly_taken_makes_no_call",),
    ),
    Protection(
        "calls: time to settle",
        CALLS,
        "work.now - settle",
        "work.now",
        (f"{BOOK}a_call_is_stated_once_however_its_events_come",),
    ),
    Protection(
        "calls: replicas take different ones",
        CALLS,
        "order by end_heard_at limit $2 for update skip locked",
        "order by end_heard_at limit $2",
        (f"{BOOK}many_calls_in_any_order_by_several_doors_at_once_are_each_stated_once",),
    ),
    Protection(
        "calls: one without an end is dropped",
        CALLS,
        "end_heard_at is null or stated_at",
        "stated_at",
        (f"{BOOK}a_call_that_never_ends_is_dropped_after_a_day_and_one_that_was_stated_is_known_for_two_weeks",),
    ),
    Protection(
        "calls: the earliest time of a state",
        CALL,
        "_earliest(one.ended_at, other.ended_at)",
        "other.ended_at or one.ended_at",
        (f"{OF_CALLS}any_order_and_any_repetition_make_the_same_call",),
    ),
    Protection(
        "feeds: numbers are bounded",
        FEEDS,
        " and 0 <= each.sequence <= LARGEST_NUMBER",
        "",
        (f"{TABLES}a_missing_number_is_named_until_it_comes",),
    ),
    Protection(
        "feeds: a count of an hour is bounded",
        FEEDS,
        " and said.body.events <= MOST_EVENTS",
        "",
        (f"{BOOK}hours_far_off_and_counts_beyond_reason_are_not_kept",),
    ),
    Protection(
        "feeds: hours far off are not kept",
        FEEDS,
        "if not received_at - BACK <= at <= received_at + AHEAD:",
        "if False:",
        (f"{BOOK}hours_far_off_and_counts_beyond_reason_are_not_kept",),
    ),
    Protection(
        "feeds: an hour counts each event once",
        FEEDS,
        "if said is not None and fresh:",
        "if said is not None:",
        (f"{BOOK}the_sources_own_count_of_an_hour_is_stated_beside_ours_and_again_when_late_events_come",),
    ),
    Protection(
        "feeds: a count that changed is stated again",
        WATCHING,
        "(reported, taken) is distinct from (stated_reported, stated_taken)",
        "stated_reported is null",
        (f"{BOOK}the_sources_own_count_of_an_hour_is_stated_beside_ours_and_again_when_late_events_come",),
    ),
    Protection(
        "feeds: least time between two statements",
        WATCHING,
        "where observed_at is null or observed_at <= $1",
        "where $1::timestamptz is not null",
        (f"{BOOK}a_feed_is_stated_at_most_every_so_often_and_by_one_replica",),
    ),
    Protection(
        "feeds: another silence is a change",
        WATCHING,
        ' and expected == row["expected_seconds"]',
        "",
        (f"{BOOK}another_expected_silence_or_agency_is_stated_though_nothing_came",),
    ),
    Protection(
        "feeds: what no mapping names is none",
        FEEDS,
        "if each.source != UNKNOWN_SOURCE:",
        "if True:",
        (f"{BOOK}what_no_mapping_names_is_no_feed",),
    ),
    Protection(
        "feeds: a wrong number does no lasting harm",
        COUNT,
        "if 1 < number - highest <= LARGEST_JUMP:",
        "if 1 < number - highest:",
        (f"{OF_COUNTS}a_wrong_number_blinds_the_count_for_one_event_only",),
    ),
    Protection(
        "feeds: a count that begins again is seen",
        COUNT,
        " and fresh and number < highest and (at is None or moment > at)",
        " and number < highest - LARGEST_JUMP",
        (f"{OF_COUNTS}a_source_that_was_set_up_anew_begins_at_one_again_and_its_losses_are_seen",),
    ),
    Protection(
        "feeds: a repetition begins no count",
        COUNT,
        " and fresh and number < highest",
        " and number < highest",
        (f"{OF_COUNTS}a_repetition_and_a_refused_event_begin_no_count",),
    ),
    Protection(
        "feeds: a late number begins no count",
        COUNT,
        " and (at is None or moment > at)",
        "",
        (f"{OF_COUNTS}an_event_that_is_taken_after_it_was_refused_begins_no_count_for_it_happened_before",),
    ),
    Protection(
        "feeds: an old count and a new one are not mixed",
        COUNT,
        "            del gaps[_after(gaps, number) :]\n",
        "            pass\n",
        (f"{OF_COUNTS}a_new_count_gives_up_what_the_old_one_missed_above_it_and_never_meets_it_again",),
    ),
    Protection(
        "feeds: so many gaps and no more",
        FEEDS,
        "    if opened:\n",
        "    if False:\n",
        (f"{TABLES}of_very_many_gaps_the_lowest_are_given_up",),
    ),
    Protection(
        "feeds: a gap that is there already is no failure",
        FEEDS,
        "on conflict (source, scope, first) do update set last = greatest(feed_gaps.last, excluded.last)\n",
        "",
        (f"{TABLES}a_gap_that_is_known_already_is_no_failure",),
    ),
    Protection(
        "feeds: one that gives up nothing is not locked",
        WATCHING,
        "from feeds f where exists (select from feed_gaps g where g.source = f.source and g.noted_at < $1) order by 1",
        "from feeds f where $1::timestamptz is not null order by 1",
        (f"{TABLES}gaps_are_given_up_feed_by_feed_and_only_a_feed_that_gives_up_one_is_locked",),
    ),
    Protection(
        "calls: one of no feed keeps no other from being stated",
        CALLS,
        " and exists (select from feeds f where f.source = calls.source)",
        "",
        (f"{BOOK}a_call_of_no_feed_keeps_no_other_from_being_stated",),
    ),
    Protection(
        "feeds: no source is called unknown",
        "shared/hotline/mapping.py",
        "    if name == UNKNOWN_SOURCE:\n",
        "    if False:\n",
        ("tests/unit/test_hotline_mapping_reading.py::test_a_fault_is_told_with_its_line_and_rule",),
    ),
    Protection(
        "feeds: a refused event tells its number",
        "shared/hotline/translate.py",
        "Refused(tuple(reader.wrong), event_id, sequence, sequence_scope)",
        "Refused(tuple(reader.wrong), event_id)",
        ("tests/unit/test_hotline_mapping_translate.py::test_of_a_refused_event_the_number_is_told_as_far_as_it_can_be_read",),
    ),
    Protection(
        "feeds: a number that came is not missing",
        "services/intake/hotline/event.py",
        "    event.sequence, event.sequence_scope = understood.sequence, understood.sequence_scope\n",
        "",
        ("tests/unit/test_hotline_doors.py::test_the_number_of_a_refused_event_was_heard",),
    ),
    Protection(
        "feeds: a replica without the mapping states nothing",
        WATCHING,
        "if mapping is None and (",
        "if False and (",
        (f"{BOOK}a_feed_without_a_mapping_here_is_left_to_others_and_given_up_after_a_day",),
    ),
    Protection(
        "feeds: a scope holds no person",
        COUNT,
        "if not text or SCOPE.fullmatch(text):",
        "if True:",
        (f"{OF_COUNTS}a_scope_that_is_no_code_is_shown_as_a_digest_and_never_as_it_is",),
    ),
    Protection(
        "figures: a fact of a source is taken once",
        TAKING,
        "        else:\n            return\n",
        "",
        (f"{FIGURES}calls_and_feeds_are_counted_once_and_shown_as_series_and_by_agency",),
    ),
    Protection(
        "figures: a lost fact is taken when it comes",
        TAKING,
        "self.gaps |= {(fact.source, number) for number in range(feed.heard + 1, sequence)}",
        "pass",
        (f"{FIGURES}lost_facts_are_remembered_and_taken_once_when_they_come",),
    ),
    Protection(
        "figures: an older statement undoes no newer one",
        FACTS,
        "if sequence > feed.observed:",
        "if True:",
        (f"{OF_FACTS}a_late_observation_does_not_undo_a_newer_one",),
    ),
)
