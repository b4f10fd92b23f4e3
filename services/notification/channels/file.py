"""The file channel of the embedded run: one JSON line per message, each id once, even after a crash.

Lines are appended and forced to the disk before the ledger says `sent`. After a crash in between, the message comes again and is
recognised by its id. Replicas may share the file: who writes holds its lock and first reads what others have added. Only the end
of the file is remembered (`REMEMBERED` ids): a message that comes again is among the last that were written.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from services.notification.channels.channel import Message, Outcome, Result
from services.notification.domain.routing import Way

if TYPE_CHECKING:
    from services.notification.settings import NotificationSettings

WAY = Way("file", contact_field=None, simulated=True)

REMEMBERED = 100_000
TAIL_BYTES = 64 * 1024 * 1024


class FileChannel:
    """Appends to one file, which is made with its folder where missing, readable by its owner alone."""

    way = WAY
    batch = 1_000
    lease_seconds = 5.0
    attempts = 1_000_000
    waits = (1.0, 60.0)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, None] = {}
        self._inode, self._read_to = 0, 0

    async def send(self, messages: Sequence[Message]) -> list[Outcome]:
        """Append what is not there yet, with one write and one fsync."""
        try:
            await asyncio.to_thread(self._append, messages)
        except OSError:
            return [Outcome(message.id, Result.RETRY, "file_not_writable") for message in messages]
        return [Outcome(message.id, Result.SENT) for message in messages]

    def _append(self, messages: Sequence[Message]) -> None:
        with self._locked() as file:
            self._read_new_lines(file)
            fresh = [message for message in messages if str(message.id) not in self._known]
            lines = b"".join(to_json(_line(message)) + b"\n" for message in fresh)
            start = os.lseek(file, 0, os.SEEK_END)
            try:
                _write_all(file, lines)
                os.fsync(file)
            except OSError:
                os.ftruncate(file, start)
                raise
            self._read_to = start + len(lines)
            self._remember(str(message.id) for message in fresh)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    def _read_new_lines(self, file: int) -> None:
        """Learn the ids that were added since the last look, and cut off a line that a crash left unfinished."""
        state = os.fstat(file)
        if state.st_ino != self._inode or state.st_size < self._read_to:
            # The first look, or somebody has moved or emptied the file.
            self._inode, self._read_to = state.st_ino, max(0, state.st_size - TAIL_BYTES)
            self._known.clear()
        added = os.pread(file, state.st_size - self._read_to, self._read_to)
        complete = added.rfind(b"\n") + 1
        if complete < len(added):
            os.ftruncate(file, self._read_to + complete)
        self._remember(found for line in added[:complete].splitlines() if (found := _id_of(line)))
        self._read_to += complete

    def _remember(self, ids: Iterator[str]) -> None:
        self._known.update(dict.fromkeys(ids))
        for forgotten in list(self._known)[: max(0, len(self._known) - REMEMBERED)]:
            del self._known[forgotten]


def _line(message: Message) -> dict[str, Any]:
    """What the line of a message says; no address and no name."""
    return {
        "id": str(message.id),
        "case_id": str(message.case_id),
        "fact": message.fact,
        "fact_id": message.fact_id,
        "recipient": message.recipient,
        "language": message.language,
        "origin": message.origin,
        "occurred_at": message.occurred_at.isoformat(),
        "subject": message.subject,
        "text": message.text,
    }


def _id_of(line: bytes) -> str | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None  # the first line of a tail may be cut
    return found.get("id") if isinstance(found, dict) else None


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def make_channel(settings: NotificationSettings) -> FileChannel | None:
    """The channel, where a file is configured."""
    return None if settings.notification_file is None else FileChannel(settings.notification_file)
