"""The FastAPI application that every service has: life, health, metrics, documents, problems, limits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from importlib.metadata import version
from typing import Any

import asyncpg
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from shared.contracts.asyncapi import describe
from shared.observability.metrics import HttpMetrics
from shared.observability.progress import silent_ones
from shared.persistence.errors import is_transient
from shared.problems import Problem, on_crash, on_http_error, on_invalid, on_problem, unavailable
from shared.security.tokens import Tokens
from shared.service.dead_letters import dead_letter_routes
from shared.service.deadline import Deadline
from shared.service.document import with_problems
from shared.service.door import Door, ShortWay
from shared.service.holdings import holdings_routes
from shared.service.limits import Limits
from shared.service.pages import asyncapi_page
from shared.service.reconcile import reconcile_routes
from shared.service.runtime import Runtime

NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False}
"""We measure by ourselves; FastAPI would look for OpenTelemetry's providers at each request."""


def create_service_app(
    runtime: Runtime, router: APIRouter, *, title: str, streamed: Iterable[str] = (), short: ShortWay | None = None, **state: Any
) -> FastAPI:
    """Build the application around a runtime.

    `streamed` paths read their own body, the `short` way is answered by a door of its own, `state` is put on `app.state`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await runtime.start()
        try:
            yield
        finally:
            await runtime.stop()

    app: FastAPI = FastAPIOffline(
        title=f"Một Cửa: {title}",
        version=version("motcua"),
        lifespan=lifespan,
        telemetry=NO_TELEMETRY,
    )
    app.state.tokens = Tokens(runtime.settings.token_public_key_file)
    app.state.runtime = runtime
    for name, value in state.items():
        setattr(app.state, name, value)
    app.include_router(_common(runtime))
    if runtime.store is not None:
        app.include_router(dead_letter_routes(runtime, runtime.store))
        app.include_router(reconcile_routes(runtime.store))
        app.include_router(holdings_routes(runtime.store, runtime.personal))
    app.include_router(router)
    app.openapi = with_problems(app.openapi)  # type: ignore[method-assign]  # FastAPI's own way to change it
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    paths, limits = frozenset(streamed), runtime.settings
    app.add_middleware(Deadline, seconds=limits.answer_seconds, streamed=paths)
    http = HttpMetrics(runtime.registry)
    app.add_middleware(Limits, metrics=http, streamed=paths, seconds=limits.sender_seconds)
    if short is not None:  # outside of every layer, so it stands last: no middleware can be added after it
        inner = app.build_middleware_stack()
        app.middleware_stack = Door(inner, short, app.state.tokens, http, limits.sender_seconds, limits.answer_seconds)
    return app


async def _on_database_error(_: Request, error: Exception) -> JSONResponse:
    """A database that is away is 503 with Retry-After; anything else is ours, and a 500 without details."""
    if is_transient(error):
        return unavailable().answer()
    raise error


_HANDLERS: dict[Any, Any] = {
    Problem: on_problem,
    RequestValidationError: on_invalid,
    HTTPException: on_http_error,
    SQLAlchemyError: _on_database_error,  # a pool without a free connection among them
    asyncpg.PostgresError: _on_database_error,  # the driver's own, from set-based statements
    asyncpg.InterfaceError: _on_database_error,
    asyncpg.InternalClientError: _on_database_error,
    OSError: _on_database_error,
    TimeoutError: _on_database_error,
    Exception: on_crash,
}


def _common(runtime: Runtime) -> APIRouter:
    router = APIRouter(tags=["service"])
    document = describe(runtime.service, runtime.settings.topic_prefix)

    @router.get("/health/live", responses={503: {"description": "A loop stands still"}})
    async def live() -> JSONResponse:
        """Whether every loop still makes progress."""
        silent = silent_ones(runtime.loops)
        return JSONResponse({"alive": not silent, "silent": silent}, 503 if silent else 200)

    @router.get("/health/ready", responses={503: {"description": "No requests are served now"}})
    async def ready() -> JSONResponse:
        """Whether requests are served now, and what is wrong.

        A Kafka that went away later is told and does not make it unready: the outbox takes what is stated meanwhile.
        """
        reasons = await _reasons(runtime)
        told = [*reasons, f"Kafka: {runtime.kafka_fault}"] if runtime.kafka_fault else reasons
        return JSONResponse({"ready": not reasons, "reasons": told}, 503 if reasons else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Prometheus exposition."""
        return Response(generate_latest(runtime.registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/version")
    async def the_version() -> dict[str, str]:
        """What runs here."""
        return {"service": runtime.service, "version": version("motcua")}

    @router.get("/asyncapi.json")
    async def asyncapi_json() -> JSONResponse:
        """The AsyncAPI 3 document of this service."""
        return JSONResponse(document)

    @router.get("/asyncapi", response_class=HTMLResponse)
    async def asyncapi() -> str:
        """The same for people."""
        return asyncapi_page(document)

    return router


async def _reasons(runtime: Runtime) -> list[str]:
    reasons = []
    if not runtime.migrated:
        reasons.append("PostgreSQL: not reached yet")
    else:
        try:
            await runtime.database.ping()
        except Exception as error:  # noqa: BLE001 - any failure is the reason
            reasons.append(f"PostgreSQL: {type(error).__name__}")
    if not runtime.connected:
        reasons.append("Kafka: not reached yet")
    reasons += [f"{each.group}: park limit reached" for each in runtime.consumers if each.park_limit_reached]
    return reasons
