"""The protections of the hotline's doors that `make prove` switches off."""

from __future__ import annotations

from tests.prove.protection import Protection

UNIT = "tests/unit/test_hotline_doors.py::test_"
ORDERS = "tests/unit/test_hotline_orders.py::test_"
DOORS = "tests/integration/test_hotline_doors.py::test_"
PAYLOADS = "tests/integration/test_hotline_payloads.py::test_"
TOPIC = "tests/integration/test_hotline_kafka.py::test_"
HERE = "services/intake/hotline"
ROUTES, TAKING = "services/intake/routes/hotline.py", f"{HERE}/taking.py"

DOORS_OF_THE_HOTLINE = (
    Protection(
        "a copy in the same transaction",
        TAKING,
        "if event.said is not None and first.setdefault(event.key, event) is not event:",
        "if event.said is not None and first.setdefault(event.key, event) is None:",
        (f"{DOORS}twenty_copies_at_once_and_one_later_have_one_effect",),
    ),
    Protection(
        "a refused event may come again",
        TAKING,
        "    await give_back(work.tx, refused)\n",
        "    await give_back(work.tx, refused[:0])\n",
        (f"{DOORS}a_ticket_is_reopened_and_rated_and_may_be_known_only_later",),
    ),
    Protection(
        "a ticket opens one case",
        f"{HERE}/cases.py",
        "or ticket in known or ticket in new:",
        "or ticket in new:",
        (f"{DOORS}twenty_copies_at_once_and_one_later_have_one_effect",),
    ),
    Protection(
        "a header given twice",
        ROUTES,
        'found[name] = f"{found[name]}, {value}" if name in found else value',
        "found.setdefault(name, value)",
        (f"{UNIT}a_header_given_twice_is_not_one_of_the_two",),
    ),
    Protection(
        "what no signature covers is not believed",
        ROUTES,
        "{} if scheme in SIGNED else",
        "{} if scheme == '' else",
        (f"{UNIT}attributes_beside_a_signed_body_are_anybodys_word",),
    ),
    Protection(
        "a right signature is let in",
        ROUTES,
        "        return desk.prove(name, _joined(request.headers), body)\n",
        "        if gate.rate.ask(gate.callers.of(request)):\n            raise _unknown()\n"
        "        return desk.prove(name, _joined(request.headers), body)\n",
        (f"{UNIT}a_right_signature_is_let_in_however_many_wrong_ones_came_before",),
    ),
    Protection(
        "unproven requests are limited",
        ROUTES,
        "        if refused is None:\n            return problem\n",
        "        if refused is None or problem:\n            return problem\n",
        (f"{UNIT}who_is_not_let_in_costs_no_database_and_is_answered_fewer_times",),
    ),
    Protection(
        "a trial keeps nothing",
        f"{HERE}/desk.py",
        "                raise _TrialOverError\n",
        "                pass\n            return answers\n",
        (f"{DOORS}a_dry_run_says_what_would_happen_and_keeps_nothing",),
    ),
    Protection(
        "the log of the own agency",
        f"{HERE}/log.py",
        "where source = $1 and ($2::text is null or agency = $2) and ($3::text is null or outcome = $3)",
        "where source = $1 and ($2::text is null or true) and ($3::text is null or outcome = $3)",
        (f"{PAYLOADS}an_integrator_sees_the_events_of_its_own_agency_only",),
    ),
    Protection(
        "a refused payload is sealed",
        f"{HERE}/payloads.py",
        "payload = keys.new_case(refusal_id).seal(packb([arrival.payload, dict(arrival.attributes)]), NAME)",
        "payload = packb([arrival.payload, dict(arrival.attributes)])",
        (f"{PAYLOADS}refused_payloads_are_sealed_and_gone_within_a_day",),
    ),
    Protection(
        "a refused payload is gone within a day",
        f"{HERE}/payloads.py",
        "SEALED_FOR: Final = timedelta(hours=23, minutes=50)",
        "SEALED_FOR: Final = timedelta(hours=24)",
        (f"{PAYLOADS}refused_payloads_are_sealed_and_gone_within_a_day",),
    ),
    Protection(
        "what is refused again is not kept twice",
        TAKING,
        "known = _refused(answers) if again else await keep_refused(",
        "known = await keep_refused(",
        (f"{PAYLOADS}what_was_refused_is_tried_again_under_a_better_mapping",),
    ),
    Protection(
        "a parked record of a call centre holds nothing",
        "shared/messaging/parking.py",
        "    if topic == HOTLINE_EVENTS.name:\n        return True\n",
        "",
        (f"{TOPIC}a_failure_of_our_own_parks_the_place_and_nothing_else",),
    ),
    Protection(
        "an attribute given twice",
        f"{HERE}/understanding.py",
        "            raise HeaderError(name, Rule.REPEATED_NAME)\n",
        "            continue\n",
        (f"{TOPIC}what_nobody_knows_on_the_topic_is_refused_and_not_parked",),
    ),
    Protection(
        "no ticket is filed after now",
        f"{HERE}/feedback.py",
        "rules.now - CLOCK_TOLERANCE <= at <= rules.now",
        "abs(at - rules.now) <= CLOCK_TOLERANCE",
        (f"{ORDERS}a_ticket_is_filed_when_it_was_said_and_never_after_now",),
    ),
    Protection(
        "a forgotten id is too old",
        f"{HERE}/event.py",
        "    if at < now - OLDEST:\n        return Rule.TOO_OLD\n",
        "",
        (f"{UNIT}what_could_not_be_kept_is_refused",),
    ),
    Protection(
        "no event of the day after tomorrow",
        f"{HERE}/event.py",
        "Rule.IN_THE_FUTURE if at > now + NEWEST else None",
        "None",
        (f"{UNIT}what_could_not_be_kept_is_refused",),
    ),
    Protection(
        "ids are known for longer than events are taken",
        f"{HERE}/event.py",
        "OLDEST: Final = timedelta(days=13)",
        "OLDEST: Final = timedelta(days=14)",
        (f"{UNIT}an_event_whose_id_may_be_forgotten_is_too_old_and_a_trials_sample_is_not",),
    ),
    Protection(
        "a sample may be of any age",
        f"{HERE}/desk.py",
        "await self.taking.take(work, [arrival], trial=True)",
        "await self.taking.take(work, [arrival])",
        (f"{DOORS}a_dry_run_says_what_would_happen_and_keeps_nothing",),
    ),
    Protection(
        "a record has a place",
        f"{HERE}/kafka_door.py",
        '_replace(place=f"{record.partition}:{record.offset}:{record.timestamp}")',
        "_replace(place=None)",
        (f"{UNIT}a_record_has_a_place_by_which_it_is_known_when_it_is_read_again",),
    ),
    Protection(
        "a record that is read again is refused once",
        f"{HERE}/payloads.py",
        'f"{arrival.place}:{number}"',
        "None",
        (f"{TOPIC}a_record_that_is_read_again_is_refused_once",),
    ),
    Protection(
        "an event is no call",
        f"{HERE}/orders.py",
        'return f"call\\0{call_id}"',
        'return f"event\\0{call_id}"',
        (f"{ORDERS}an_event_and_a_call_of_one_name_ask_for_two_things_and_a_call_for_one",),
    ),
    Protection(
        "one call is one contact",
        f"{HERE}/calls.py",
        'of_call(row["call_id"])',
        'row["call_id"]',
        (f"{ORDERS}a_call_that_ends_and_the_event_that_named_its_dossier_are_one_contact",),
    ),
    Protection(
        "no case is tied to itself",
        f"{HERE}/links.py",
        " or (place and dossier.case_id == place.case_id):",
        ":",
        (f"{ORDERS}a_ticket_that_names_its_own_case_is_tied_to_nothing",),
    ),
)
