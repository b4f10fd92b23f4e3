"""The protections that `make prove` switches off, one at a time, and the tests that must notice."""

from __future__ import annotations

from tests.prove.bulk import BULK
from tests.prove.doors import DOORS_OF_THE_HOTLINE
from tests.prove.edge import EDGE
from tests.prove.erasure import ERASURE
from tests.prove.feedback import OF_FEEDBACK
from tests.prove.feeds import FEEDS_AND_CALLS
from tests.prove.filing import FILING
from tests.prove.hotline import HOTLINE
from tests.prove.law import LAW
from tests.prove.mappings import MAPPINGS
from tests.prove.plugging import PLUGGING
from tests.prove.protection import Protection
from tests.prove.sources import SOURCES_OF_THE_HOTLINE
from tests.prove.vault import VAULT

HEART = "tests/integration/test_heart.py::test_"
REVIEW = "tests/integration/test_heart_review.py::test_"
OWN = "tests/integration/test_protections.py::test_"
DEADLINES = "tests/unit/test_service_deadlines.py::test_"
INTAKE = "tests/integration/test_intake.py::test_"
PROCESSING = "tests/integration/test_processing.py::test_"
LETTERS = "tests/integration/test_dead_letters.py::test_"
COMMAND_LETTERS = "tests/integration/test_dead_letters_of_commands.py::test_"
NOTIFICATION = "tests/integration/test_notification.py::test_"


WORK, MEMORY, CONSUMER = "shared/persistence/work.py", "shared/messaging/memory.py", "shared/messaging/consumer.py"
RELAY, SUBSCRIBE = "shared/messaging/relay.py", "shared/messaging/subscribe.py"
PARKING = "shared/messaging/parking.py"

PROTECTIONS = (
    Protection(
        "case lock",
        WORK,
        "order by case_id for update",
        "order by case_id",
        (f"{OWN}writers_of_one_case_at_the_same_time_allot_each_number_once",),
    ),
    Protection(
        "sequence check",
        MEMORY,
        "        if sequence > last:\n",
        "        if sequence > 0:\n",
        (f"{HEART}every_event_is_taken_once_although_it_is_delivered_twice",),
    ),
    Protection(
        "gap memory",
        MEMORY,
        "range(last + 1, sequence)]",
        "range(0)]",
        (f"{HEART}a_gap_is_remembered_and_the_missing_event_is_still_taken",),
    ),
    Protection(
        "inbox claim",
        MEMORY,
        "        if pair in ours:\n",
        "        if pair:\n",
        (f"{PROCESSING}a_command_that_is_delivered_twice_is_carried_out_once",),
    ),
    Protection(
        "explicit offsets",
        SUBSCRIBE,
        "record.offset + 1 for",
        "record.offset for",
        (f"{HEART}offsets_are_committed_explicitly_and_a_second_reading_changes_nothing",),
    ),
    Protection(
        "commit filtered by assignment",
        SUBSCRIBE,
        " if partition in ours}",
        "}",
        (f"{OWN}a_lost_partition_does_not_keep_the_others_offsets_from_being_committed",),
    ),
    Protection(
        "draining listener",
        SUBSCRIBE,
        "asyncio.timeout(DRAIN_SECONDS), self._consumer.running:",
        "asyncio.timeout(DRAIN_SECONDS):",
        (f"{OWN}a_replica_that_joins_is_given_nothing_of_the_running_batch",),
    ),
    Protection(
        "park before commit",
        CONSUMER,
        "                await self._park(items[0], error)\n",
        "",
        (f"{HEART}what_follows_a_parked_record_of_its_case_waits_behind_it",),
    ),
    Protection(
        "behind a parked record",
        CONSUMER,
        "            elif item.case_id in blocked and",
        "            elif not blocked and",
        (f"{HEART}what_follows_a_parked_record_of_its_case_waits_behind_it",),
    ),
    Protection(
        "back-off of what passes",
        CONSUMER,
        "                if not is_transient(error):\n",
        "                if error:\n",
        (f"{HEART}a_transient_failure_waits_in_the_group_and_parks_nothing",),
    ),
    Protection(
        "park limit",
        PARKING,
        "if recent > self.limit:",
        "if recent < 0:",
        (f"{HEART}a_bad_deploy_stops_at_the_park_limit_and_resumes_after_the_fix",),
    ),
    Protection(
        "leader lock",
        RELAY,
        "while not await connection.fetchval(",
        "while False and not await connection.fetchval(",
        (f"{HEART}the_relay_keeps_the_order_of_a_case_under_concurrent_writers_and_would_be_leaders",),
    ),
    Protection(
        "leader lock watched while sending",
        RELAY,
        '                    await connection.fetchval("select 1")',
        "                    pass",
        (f"{REVIEW}a_relay_whose_lock_is_lost_while_it_sends_gives_up_and_starts_again",),
    ),
    Protection(
        "relay in the order of ids",
        RELAY,
        "where lane = $1 order by id limit",
        "where lane = $1 order by id desc limit",
        (f"{HEART}the_relay_keeps_the_order_of_a_case_under_concurrent_writers_and_would_be_leaders",),
    ),
    Protection(
        "relay waits for every acknowledgement",
        RELAY,
        "        flushed = asyncio.ensure_future(producer.flush())",
        "        return\n        flushed = asyncio.ensure_future(producer.flush())",
        (f"{OWN}a_row_leaves_the_outbox_only_when_kafka_has_it",),
    ),
    Protection(
        "intake's idempotency key",
        "services/intake/opening.py",
        "return Opening(case_id, Outcome.KNOWN",
        "return Opening(new.case_id, Outcome.KNOWN",
        (f"{INTAKE}a_case_is_filed_once_however_often_it_is_sent",),
    ),
    Protection(
        "digest of the content",
        "services/intake/opening.py",
        "same = not digest or hmac.compare_digest(digest, new.digest)",
        "same = bool(digest)",
        (f"{INTAKE}a_case_is_filed_once_however_often_it_is_sent",),
    ),
    Protection(
        "answers to HTTP commands",
        "services/processing/handlers/officers.py",
        "            if earlier is not None:",
        "            if earlier == ():",
        (f"{PROCESSING}the_same_key_is_answered_the_same_and_done_once",),
    ),
    Protection(
        "early commands",
        "services/processing/handlers/records.py",
        "        if locked.state.status is None:\n            locked.stream.waiting",
        "        if locked.stream.stated < 0:\n            locked.stream.waiting",
        (f"{PROCESSING}commands_that_come_before_their_case_run_when_it_comes_in_order",),
    ),
    Protection(
        "one message of a fact",
        "services/notification/channels/file.py",
        "if str(message.id) not in self._known]",
        "]",
        (f"{NOTIFICATION}a_crash_after_the_file_was_written_repeats_no_line_and_states_it_once",),
    ),
    Protection(
        "bulk lane waits for readers",
        RELAY,
        "max(room, BULK_BATCH), BATCH) if room else 0\n",
        "max(room, BULK_BATCH), BATCH)\n",
        (f"{OWN}the_bulk_lane_waits_while_readers_are_behind_and_the_other_lane_does_not",),
    ),
    Protection(
        "a stalled sender's outcome",
        "services/notification/repository.py",
        "where id = any($1::uuid[]) and status = 'pending' returning id",
        "where id = any($1::uuid[]) returning id",
        (f"{OWN}a_sender_that_was_stalled_longer_than_its_lease_states_nothing_again",),
    ),
    Protection(
        "a stalled sender's failure",
        "services/notification/repository.py",
        "where id = any($1::uuid[]) and status = $2 order by id for update",
        "where id = any($1::uuid[]) and $2::text <> '' order by id for update",
        (f"{OWN}a_sender_that_was_stalled_longer_than_its_lease_states_nothing_again",),
    ),
    Protection(
        "facts only by who states them",
        "shared/messaging/delivery.py",
        "if envelope.source != source:",
        "if not source:",
        ("tests/unit/test_messaging_decoder.py",),
    ),
    Protection(
        "what passes is 503",
        "shared/service/app.py",
        "    if is_transient(error):\n        return unavailable",
        "    if not error:\n        return unavailable",
        (f"{REVIEW}every_failure_is_a_problem_document_and_what_passes_is_503",),
    ),
    Protection(
        "a reset while writing",
        "shared/messaging/kafka.py",
        "\nmend_connections()\n",
        "\n",
        (f"{OWN}a_write_to_a_connection_that_was_just_reset_is_a_broken_connection",),
    ),
    Protection(
        "a deaf consumer is not alive",
        SUBSCRIBE,
        "consumer.lost = lambda: is_deaf(subscriber.consumer) or any(",
        "consumer.lost = lambda: any(",
        (f"{OWN}a_consumer_whose_fetch_loop_has_ended_is_not_taken_for_a_live_one",),
    ),
    Protection(
        "strangers' commands stop nobody",
        PARKING,
        "self._counted = (HANDLER,) if recent is None else",
        "self._counted = (HANDLER,) if recent else",
        (f"{COMMAND_LETTERS}unreadable_commands_of_strangers_never_stop_the_consumer",),
    ),
    Protection(
        "what was discarded stays discarded",
        PARKING,
        "if place_of(item.record) not in discarded]",
        "]",
        (f"{COMMAND_LETTERS}a_discarded_command_never_runs_although_it_is_read_again_and_understood",),
    ),
    Protection(
        "replay in the order of the topic",
        "shared/persistence/parked.py",
        "order by consumer_group, partition, position) firsts",
        "order by consumer_group, partition, position desc) firsts",
        (f"{LETTERS}a_replay_goes_up_to_the_next_fault_and_what_follows_it_stays_behind",),
    ),
    Protection(
        "a replica leaves in order",
        "shared/service/runtime.py",
        "        await within(DRAIN_SECONDS, self.broker.stop())\n",
        "",
        (f"{OWN}a_replica_that_leaves_in_order_has_left_its_group_when_it_has_ended",),
    ),
    Protection(
        "an answer in time",
        "shared/service/app.py",
        "    app.add_middleware(Deadline, seconds=limits.answer_seconds, streamed=paths)\n",
        "",
        (f"{DEADLINES}an_answer_that_does_not_come_in_time_is_503",),
    ),
    Protection(
        "an answer in time, the short way",
        "shared/service/door.py",
        "patience.move(self._answer_seconds)",
        "patience.move(self._sender_seconds)",
        (f"{DEADLINES}an_answer_that_does_not_come_in_time_is_503",),
    ),
    *BULK,
    *DOORS_OF_THE_HOTLINE,
    *EDGE,
    *ERASURE,
    *OF_FEEDBACK,
    *FEEDS_AND_CALLS,
    *FILING,
    *HOTLINE,
    *SOURCES_OF_THE_HOTLINE,
    *LAW,
    *MAPPINGS,
    *PLUGGING,
    *VAULT,
)
