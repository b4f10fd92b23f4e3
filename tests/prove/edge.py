"""The protections of intake's edge that `make prove` switches off: request heads, bodies, the public look-up."""

from __future__ import annotations

from tests.prove.protection import Protection

HEADS = "tests/unit/test_service_heads.py::test_"
RATES = "tests/unit/test_service_rate.py::test_"
HOSTILE = "tests/integration/test_intake_hostile.py::test_"
LOOKUP = "tests/integration/test_intake_lookup.py::test_"
GUARD, RATE, CALLERS = "shared/service/heads.py", "shared/service/rate.py", "shared/service/callers.py"
STATUS, LIMITS = "services/intake/routes/status.py", "shared/service/limits.py"

EDGE = (
    Protection(
        "a head ends in time",
        GUARD,
        "        super().connection_made(transport)\n        self._look()",
        "        super().connection_made(transport)",
        (f"{HEADS}a_head_that_stops_is_ended",),
    ),
    Protection(
        "a second head ends in time",
        GUARD,
        "            self._in_head, self._since = True, self.loop.time()",
        "            pass",
        (f"{HEADS}a_second_head_on_the_same_connection_has_its_own_time",),
    ),
    Protection(
        "a head is bounded",
        GUARD,
        "        self._left -= len(data)",
        "        pass",
        (f"{HEADS}a_head_that_grows_is_ended",),
    ),
    Protection(
        "nothing is written into an answer",
        GUARD,
        " or not self.cycle.response_started:",
        " or True:",
        (f"{HEADS}an_answer_that_has_begun_is_not_written_into",),
    ),
    Protection(
        "services use the guard",
        "shared/service/server.py",
        "http=GuardedProtocol",
        'http="httptools"',
        (f"{HOSTILE}an_endless_head_is_refused_by_the_real_process",),
    ),
    Protection(
        "packed bodies are refused",
        LIMITS,
        'return headers.get(b"content-encoding", b"identity").strip().lower() != b"identity"',
        "return False",
        (f"{HOSTILE}a_packed_body_is_refused_and_not_unpacked",),
    ),
    Protection(
        "a name given twice is refused",
        "services/intake/handlers.py",
        "        check_json(raw, submission)",
        "        pass",
        (f"{HOSTILE}a_name_given_twice_is_said_so",),
    ),
    Protection(
        "a malformed code costs the same work",
        STATUS,
        "await _find(database, code if _CODE.fullmatch(code) else _NO_CODE)",
        "await _find(database, code) if _CODE.fullmatch(code) else None",
        (f"{LOOKUP}unknown_malformed_and_hidden_cases_get_one_answer_after_the_same_work",),
    ),
    Protection(
        "look-ups are limited",
        STATUS,
        "        if refused is not None:",
        "        if False:",
        (f"{LOOKUP}who_asks_too_often_is_told_when_to_come_back_whatever_it_asks",),
    ),
    Protection(
        "a refused look-up is not remembered",
        RATE,
        "        for whose, full_at in (",
        "        self._full_at[client] = of_client\n        for whose, full_at in (",
        (f"{RATES}a_refused_question_costs_nothing",),
    ),
    Protection(
        "who asks no more is forgotten",
        RATE,
        "        self._forget(now)",
        "        pass",
        (f"{RATES}who_asks_no_more_is_forgotten",),
    ),
    Protection(
        "only our proxies name a client",
        CALLERS,
        "while hops and self._is_trusted(caller) and",
        "while hops and",
        (f"{RATES}the_client_is_the_last_address_that_is_no_proxy_of_ours",),
    ),
    Protection(
        "an IPv6 site is one client",
        CALLERS,
        "str(caller) if isinstance(caller, IPv4Address) else",
        "str(caller) if caller else",
        (f"{RATES}the_client_is_the_last_address_that_is_no_proxy_of_ours",),
    ),
)
