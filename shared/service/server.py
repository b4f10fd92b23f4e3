"""How a service process starts: settings, logs, uvicorn on uvloop."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from shared.catalogue import CatalogueError
from shared.messaging.kafka import DRAIN_SECONDS
from shared.observability.logs import set_up_logs
from shared.service.heads import GuardedProtocol
from shared.settings import WRONG_USAGE, ServiceSettings, SettingError, load_settings

S = TypeVar("S", bound=ServiceSettings)


def run(service: str, kind: type[S], create_app: Callable[[S], FastAPI]) -> None:
    """Serve until SIGTERM or SIGINT, then drain within 25 s. A wrong setting ends the process with status 2."""
    settings = load_settings(kind)
    set_up_logs(service, settings.log_level)
    try:
        app = create_app(settings)
    except SettingError as error:
        print(f"setting {error}", file=sys.stderr)
        raise SystemExit(WRONG_USAGE) from None
    except CatalogueError as error:
        print(f"setting MOTCUA_CATALOGUE_DIR: {error}", file=sys.stderr)
        raise SystemExit(WRONG_USAGE) from None
    spare_collector()
    # uvicorn raises the signal again once it has drained; that must end in status 0, not in a second death
    signal.signal(signal.SIGTERM, lambda *_: None)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=GuardedProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=int(DRAIN_SECONDS),
        server_header=False,
        proxy_headers=False,  # intake reads the client's address by its own rules
    )


def spare_collector() -> None:
    """Wake the garbage collector less often: a batch makes thousands of objects that all live until its commit.

    With Python's own thresholds it went through all of them, and every module, several times a batch: a third of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
