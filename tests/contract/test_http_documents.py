"""Every service's OpenAPI document and pages: valid, complete about refusals, and whole without the internet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from shared.contracts.asyncapi import describe
from tests.contract.conftest import PREFIX

COMMON = ("/health/live", "/health/ready", "/metrics", "/version", "/asyncapi", "/asyncapi.json", "/docs", "/openapi.json")
OFFERED = {
    "intake": {
        "POST /v1/cases", "POST /v1/cases/bulk", "POST /v1/cases/pre-check",
        "POST /v1/cases/pre-intake", "GET /v1/cases/pre-intake",
        "GET /v1/cases/{case_id}/status", "GET /v1/cases/by-code/{code}/status",
        "GET /v1/procedures", "GET /v1/procedures/{code}", "GET /v1/matters", "GET /v1/reasons",
        "POST /v1/hotline/{source}", "GET /v1/hotline/{source}/log", "POST /v1/hotline/{source}/replay",
    },
    "processing": {
        "GET /v1/cases", "GET /v1/cases/{case_id}", "POST /v1/cases/{case_id}/commands", "GET /v1/cases/{case_id}/history",
        "GET /v1/cases/{case_id}/clock", "GET /v1/calendar", "PUT /v1/calendar/days", "PUT /v1/calendar/days/{on}",
        "DELETE /v1/calendar/days/{on}", "PUT /v1/calendar/hours", "PUT /v1/calendar/hours/{agency}",
        "DELETE /v1/calendar/hours/{agency}",
    },
    "notification": {"GET /v1/messages"},
    "metrics": {"GET /v1/figures", "GET /v1/backlog", "GET /v1/turnaround", "GET /v1/feeds"},
}  # fmt: skip
PUBLIC = {
    "GET /v1/cases/{case_id}/status", "GET /v1/cases/by-code/{code}/status", "GET /v1/procedures", "GET /v1/procedures/{code}",
    "GET /v1/matters", "GET /v1/reasons", "POST /v1/hotline/{source}",
}  # fmt: skip
"""What anybody may ask, by law: how far a case has come, and the catalogue. A call centre's webhook proves itself otherwise."""
LINE_BY_LINE = {"POST /v1/cases/bulk"}
"""Answered line by line: a line that is not valid, or an outage, is told in that line's answer."""
ELSEWHERE = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//[^"'\s>)]+""", re.IGNORECASE)
ASSET = re.compile(r"""(?:src|href)=["']([^"'#]+)["']|url\(["']?([^"')]+)""")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation as `METHOD /path`."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield f"{method.upper()} {path}", operation


def guarded(app: FastAPI) -> dict[str, dict[str, Any]]:
    """The operations that need a token."""
    return {name: each for name, each in operations(app.openapi()) if " /v1/" in name and name not in PUBLIC}


async def get(app: FastAPI, path: str) -> httpx.Response:
    """An answer of the application itself."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", follow_redirects=True) as client:
        return await client.get(path)


def test_the_document_is_openapi_3_1_and_valid(app: FastAPI) -> None:
    document = app.openapi()

    assert document["openapi"].startswith("3.1")
    validate(json.loads(json.dumps(document)), cls=OpenAPIV31SpecValidator)


def test_a_broken_document_is_refused(app: FastAPI) -> None:
    broken = json.loads(json.dumps(app.openapi()))
    del broken["info"]["title"]

    assert not OpenAPIV31SpecValidator(broken).is_valid()


def test_the_routes_that_were_promised_are_there(app: FastAPI, service: str) -> None:
    assert OFFERED[service] - {name for name, _ in operations(app.openapi())} == set()


def test_every_operation_says_what_it_does(app: FastAPI) -> None:
    silent = [name for name, each in operations(app.openapi()) if not (each.get("description") or each.get("summary"))]

    assert silent == []


def test_no_two_operations_have_one_id(app: FastAPI) -> None:
    ids = [each["operationId"] for _, each in operations(app.openapi())]

    assert len(ids) == len(set(ids))


async def test_everything_but_the_public_look_up_needs_a_token(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for name in guarded(app):
            method, _, path = name.partition(" ")
            answer = await client.request(method, re.sub(r"\{[a-z_]+\}", "01a1e1e9-d728-7bfc-9416-0a1e8674dac6", path))

            assert answer.status_code == 401, name
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["type"] == "urn:motcua:problem:unauthorised"


@pytest.mark.parametrize("code", ["401", "403"])
def test_everything_that_needs_a_token_declares_its_refusals(app: FastAPI, code: str) -> None:
    assert [name for name, each in guarded(app).items() if code not in each["responses"]] == []


def test_everything_that_needs_the_database_declares_503(app: FastAPI) -> None:
    silent = {name for name, each in guarded(app).items() if "503" not in each["responses"]}

    assert silent - LINE_BY_LINE == set()


def test_everything_that_takes_a_parameter_or_a_body_declares_422(app: FastAPI) -> None:
    taking = {name: each for name, each in guarded(app).items() if each.get("parameters") or each.get("requestBody")}

    assert {name for name, each in taking.items() if "422" not in each["responses"]} - LINE_BY_LINE == set()


@pytest.mark.parametrize(
    ("service", "operation", "codes"),
    [
        ("intake", "POST /v1/cases", {"200", "201", "409", "413", "422"}),
        ("intake", "GET /v1/cases/{case_id}/status", {"200", "404"}),
        ("intake", "GET /v1/procedures/{code}", {"200", "404"}),
        ("intake", "POST /v1/hotline/{source}", {"200", "400", "401", "404", "413", "422", "429", "503"}),
        ("processing", "POST /v1/cases/{case_id}/commands", {"200", "404", "409", "413", "422"}),
        ("processing", "GET /v1/cases/{case_id}", {"200", "404"}),
        ("processing", "GET /v1/cases/{case_id}/history", {"200", "404"}),
        ("processing", "GET /v1/cases/{case_id}/clock", {"200", "404"}),
    ],
)
def test_an_operation_declares_the_refusals_of_its_own(
    apps: dict[str, FastAPI], service: str, operation: str, codes: set[str]
) -> None:
    declared = dict(operations(apps[service].openapi()))[operation]["responses"]

    assert codes - set(declared) == set()


@pytest.mark.parametrize("path", ["/docs", "/asyncapi", "/redoc"])
async def test_a_page_is_whole_without_the_internet(app: FastAPI, path: str) -> None:
    page = await get(app, path)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert ELSEWHERE.findall(page.text) == []
    for asset in {first or second for first, second in ASSET.findall(page.text)}:
        if not asset.startswith("data:"):
            answer = await get(app, asset if asset.startswith("/") else f"/{asset}")
            assert answer.status_code == 200, asset


@pytest.mark.parametrize("path", COMMON)
async def test_what_every_service_has_needs_no_token(app: FastAPI, path: str) -> None:
    answer = await get(app, path)

    assert answer.status_code == (503 if path == "/health/ready" else 200)


async def test_the_asyncapi_document_is_served(app: FastAPI, service: str) -> None:
    assert (await get(app, "/asyncapi.json")).json() == describe(service, PREFIX)


async def test_an_unknown_path_is_a_problem(app: FastAPI) -> None:
    answer = await get(app, "/nowhere")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:motcua:problem:not-found"
