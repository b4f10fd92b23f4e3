"""A call centre that does not stop while intake dies: signed webhooks at a fixed rate, sent again until answered, or given up.

Each request is due at its own time, whatever the answers before it took (an open loop), and how long an answer took is counted
from then. Sent again is the same body under the same id, as Standard Webhooks asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from shared.clock import real_time
from shared.hotline.signing import sign
from shared.messaging.topics_admin import apply_topics
from shared.observability.failpoints import EXIT_STATUS
from tests.support.installation import Installation
from tests.support.servers import Servers
from tests.support.switchboard import AUTHENTICATION, SOURCE, Folders, mapping, written
from tests.support.waiting import eventually

AGENCY = "so-ringing"
TICKETS = 5
"""Of so many payloads one is a ticket, the others are states of calls."""
GIVING_UP = 11
"""Of so many payloads one is not sent again, whatever became of it."""
STATES = ("created", "queued", "answered", "ended")
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.6
ANSWER_SECONDS = 10.0
UNAVAILABLE = 503
IDLE_LINES = 50
SETTLED_SECONDS = 5.0
"""So long after intake is back, answers are not held to their time: what was sent again meanwhile comes first."""


class Line:
    """A keep-alive connection that asks one thing at a time. Whatever breaks is a ConnectionError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Line:
        """Connect."""
        try:
            return cls(*await asyncio.open_connection("127.0.0.1", port))
        except OSError as error:
            raise ConnectionError from error

    async def ask(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """The status and the document of the answer."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._writer.write(head.encode() + body)
                first, *more = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                given = {name.lower(): value for name, _, value in (each.partition(": ") for each in more)}
                content = await self._reader.readexactly(int(given["content-length"]))
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise ConnectionError from error
        return int(first.split()[1]), json.loads(content)

    @property
    def is_over(self) -> bool:
        """Whether the other side has closed it."""
        return self._reader.at_eof()

    def close(self) -> None:
        """Let the connection go."""
        self._writer.close()


@dataclass(slots=True)
class Sent:
    """One payload. `due` and `answered` are on the clock of `time.perf_counter`; `answer` stands once there was a 200."""

    number: int
    due: float
    event_id: str = field(default_factory=lambda: uuid4().hex)
    answered: float = 0.0
    answer: dict[str, Any] | None = None

    @property
    def gives_up(self) -> bool:
        """Whether it is sent once only."""
        return self.number % GIVING_UP == GIVING_UP - 1

    @property
    def ticket(self) -> str | None:
        """The ticket that it opens; None when it tells of a call."""
        return f"t-{self.number}" if self.number % TICKETS == 0 else None

    def payload(self) -> dict[str, Any]:
        """What is sent; its number counts the events of the source."""
        at = datetime.now(UTC).isoformat()
        given: dict[str, Any] = {"id": self.event_id, "at": at, "seq": self.number}
        if self.ticket is not None:
            return given | {"kind": "ticket", "ticket": self.ticket, "text": f"Phản ánh {self.number}"}
        return given | {"kind": "call", "call": self.call, "state": self.state}

    @property
    def call(self) -> str:
        """The call that it tells of."""
        return f"c-{self._place // len(STATES)}"

    @property
    def state(self) -> str:
        """The state that the call came into."""
        return STATES[self._place % len(STATES)]

    @property
    def _place(self) -> int:
        return self.number - self.number // TICKETS - 1


@dataclass(slots=True)
class CallCentre:
    """The load, and all of what was `sent`. `broken` counts what met no answer, `odd` is what should not have been answered."""

    installed: Installation
    folders: Folders
    sent: list[Sent] = field(default_factory=list)
    broken: int = 0
    odd: list[str] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    _idle: list[Line] = field(default_factory=list)

    async def ring(self, rate: float, seconds: float) -> None:
        """Send at this rate for so long; return when all is answered or given up. The first event is answered before others."""
        await self._send(self._next(time.perf_counter()))
        tasks, begun = set[asyncio.Task[None]](), time.perf_counter()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._send(self._next(due)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        while self._idle:
            self._idle.pop().close()

    @property
    def answered(self) -> list[Sent]:
        """What was answered by 200."""
        return [each for each in self.sent if each.answer is not None]

    @property
    def seconds(self) -> list[float]:
        """How long answers took from when they were due, apart from outages and what waited for their end."""
        return [
            each.answered - each.due
            for each in self.answered
            if not any(begin - 1 < each.due < end + SETTLED_SECONDS for begin, end in self.outages)
        ]

    def _next(self, due: float) -> Sent:
        self.sent.append(Sent(len(self.sent), due))
        return self.sent[-1]

    async def _send(self, sent: Sent) -> None:
        body, pause = written(sent.payload()), FIRST_PAUSE
        while True:
            try:
                status, document = await self._ask(sent, body)
            except ConnectionError:
                status, document = UNAVAILABLE, None
            if status == 200:
                sent.answer, sent.answered = document["results"][0], time.perf_counter()
                return
            if status != UNAVAILABLE:
                self.odd.append(f"{sent.event_id}: {status} {document}")
                return
            self.broken += 1
            if sent.gives_up:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _ask(self, sent: Sent, body: bytes) -> tuple[int, Any]:
        while self._idle and self._idle[-1].is_over:
            self._idle.pop().close()
        line = self._idle.pop() if self._idle else await Line.open(self.installed.ports["intake"])
        headers = sign(AUTHENTICATION, self.folders.live[SOURCE], body, f"msg_{sent.event_id}", real_time())
        answer = await line.ask(f"/v1/hotline/{SOURCE}", headers, body)
        if len(self._idle) < IDLE_LINES:
            self._idle.append(line)
        else:
            line.close()
        return answer

    async def die_at(self, failpoint: str) -> None:
        """Wait until intake, which was started with this failpoint, has died there."""
        process = self.installed.processes["intake"]

        async def dead() -> bool:
            return process.poll() is not None

        await eventually(f"intake dies at {failpoint}", dead, within=240)
        assert process.returncode == EXIT_STATUS, self.installed.log_of("intake").read_text()[-2000:]

    async def restart(self, **settings: str) -> None:
        """Start intake again after a death, and note how long it was away. One that is to die again may do so at once."""
        began = time.perf_counter()
        self.installed.start("intake", **settings)
        process, url = self.installed.processes["intake"], self.installed.url("intake", "/health/ready")

        async def ready_or_dead() -> bool:
            return process.poll() is not None or (await self.installed.http.get(url)).status_code == 200

        await eventually("intake is ready", ready_or_dead, within=60, every=0.2)
        assert settings or process.poll() is None, self.installed.log_of("intake").read_text()[-2000:]
        self.outages.append((began, time.perf_counter()))


@contextlib.asynccontextmanager
async def open_call_centre(servers: Servers, folder: Path, **first: str) -> AsyncIterator[CallCentre]:
    """An installation of which only intake runs, first with these settings, and a call centre that can begin to send."""
    folders = Folders(folder / "hotline")
    folders.add(SOURCE, mapping(agency=AGENCY))
    settings = {f"MOTCUA_{name.upper()}": str(path) for name, path in folders.settings.items()}
    settings |= {"MOTCUA_DATABASE_POOL": "10", "MOTCUA_HOTLINE_SETTLE_SECONDS": "1", "MOTCUA_FEED_SECONDS": "1"}
    city = Installation(folder, servers.kafka.address, servers.postgres.address, settings)
    try:
        await apply_topics(city.kafka)
        city.start("intake", **first)
        await city.ready()
        yield CallCentre(city, folders)
    finally:
        await city.close()
