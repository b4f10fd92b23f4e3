"""Intake's OpenAPI document against the running service: Schemathesis asks what it allows and what it forbids."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.security.tokens import Role
from tests.support.installation import Installation, installed
from tests.support.servers import Servers

EXAMPLES: Final = 40
NDJSON: Final = "application/x-ndjson"
ANYWHERE: Final = {408, 413, 415, 431}
"""What the edge may say to any request, whatever the operation declares."""
AGENCY: Final = "so-test"
KEPT: Final = ("idempotency_key", "channel", "documents")
REAL: Final = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806"}
PATIENT: Final = {"MOTCUA_ANSWER_SECONDS": "20"}
"""A busy machine is not what is looked for."""
Operation = APIOperation[Any, Any, Any, Any]
CHECKS: Final[list[CheckFunction]] = [content_type_conformance, response_headers_conformance, response_schema_conformance]


@schemathesis.serializer(NDJSON)
def as_line(_: object, value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture(scope="module")
async def city(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(servers, tmp_path_factory.mktemp("document"), "intake", extra=PATIENT) as running:
        yield running


@pytest.fixture(scope="module")
async def operations(city: Installation) -> list[Operation]:
    document = (await city.http.get(city.url("intake", "/openapi.json"))).json()
    found = [each.ok() for each in from_dict(document).get_all_operations() if isinstance(each, Ok)]
    assert found
    return found


def make_real(case: Case[Any]) -> bool:
    """Let a filing that was made up be one of a real procedure, or hardly any would be taken; whether it is a filing."""
    filing = isinstance(case.body, dict) and case.body.keys() >= REAL.keys()
    if isinstance(case.body, dict) and filing:
        body: dict[str, Any] = {name: case.body[name] for name in KEPT if name in case.body}
        case.body = body | REAL
    return filing


def check(city: Installation, case: Case[Any], role: Role | None, *, refused: bool) -> int:
    """One request, whose answer keeps to the document; its status. With `refused`, what the document forbids is no success."""
    headers = {} if role is None else city.headers(role, AGENCY)
    answer = case.call(base_url=city.url("intake"), headers=headers)
    checks: list[CheckFunction] = [not_a_server_error]
    if answer.status_code not in ANYWHERE:
        checks += [status_code_conformance, *CHECKS]
    if case.media_type == NDJSON and answer.status_code == 200:
        lines = [json.loads(line) for line in answer.content.splitlines()]
        assert [line for line in lines if line["status"] >= 500] == []
        checks = [status_code_conformance, content_type_conformance]
    elif refused:
        checks.append(negative_data_rejection)
    case.validate_response(answer, checks=checks)
    return answer.status_code


def run(city: Installation, operation: Operation, mode: GenerationMode) -> Counter[int]:
    """Ask an operation; how often each status was answered."""
    told: Counter[int] = Counter()

    @given(case=operation.as_strategy(generation_mode=mode), role=st.none() | st.sampled_from(Role), real=st.booleans())
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )  # fmt: skip
    def ask(case: Case[Any], role: Role | None, real: bool) -> None:
        if real and mode is GenerationMode.POSITIVE and make_real(case):
            role = Role.COUNTER
        told[check(city, case, role, refused=mode is GenerationMode.NEGATIVE)] += 1

    ask()
    return told


def can_be_refused(operation: Operation) -> bool:
    """Whether there is anything to get wrong; any text may stand in the path of a public look-up."""
    raw = operation.definition.raw
    free = all(each["in"] == "path" and "format" not in each["schema"] for each in raw.get("parameters", []))
    return "requestBody" in raw or not free


def test_every_answer_to_what_the_document_allows_is_one_that_it_tells(city: Installation, operations: list[Operation]) -> None:
    told = {each.label: run(city, each, GenerationMode.POSITIVE) for each in operations}
    assert {201, 401, 422} <= told["POST /v1/cases"].keys()
    assert len(told) >= 20
    print(f"{sum(each.total() for each in told.values())} requests, {sum(told.values(), Counter())}")


def test_what_the_document_forbids_is_refused_as_it_tells(city: Installation, operations: list[Operation]) -> None:
    told = {each.label: run(city, each, GenerationMode.NEGATIVE) for each in operations if can_be_refused(each)}
    assert {401, 422} <= told["POST /v1/cases"].keys()
    print(f"{sum(each.total() for each in told.values())} requests, {sum(told.values(), Counter())}")
