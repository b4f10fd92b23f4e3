"""The state folder: what the stack remembers between two starts, and the locks that keep two stacks apart."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENOUGH_BYTES = 500 * 1024 * 1024
_MARK = "motcua"


class StateFolder:
    """One stack's folder. `state.json` in it marks it as ours, so that a wipe never takes a stranger's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.keys = self.path / "keys"
        self.hash = hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:12]

    def exists(self) -> bool:
        """Whether the folder is there and ours."""
        return (self.path / "state.json").is_file()

    def create(self) -> None:
        """Make the folder; StackError when it cannot be made or holds something that is not ours."""
        try:
            self._create()
        except OSError as error:
            raise StackError(f"the state folder {self.path} cannot be made ({error.strerror}): set MOTCUA_STATE_DIR") from None

    def _create(self) -> None:
        if not self.exists() and self.path.is_dir() and any(self.path.iterdir()):
            raise StackError(f"{self.path} holds other files: set MOTCUA_STATE_DIR to a folder of its own")
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)  # PostgreSQL's user must pass through, not list
        for private in (self.logs, self.keys):
            private.mkdir(mode=0o700, exist_ok=True)
        if not self.exists():
            self.save("state.json", {_MARK: 1})

    def check_space(self) -> None:
        """StackError when the disk is nearly full: Kafka and PostgreSQL would die of it half-way."""
        if (free := self.free_bytes()) < ENOUGH_BYTES:
            raise StackError(
                f"only {free // 2**20} MB free where {self.path} lies, the stack needs {ENOUGH_BYTES // 2**20} MB: "
                "make room or set MOTCUA_STATE_DIR"
            )

    def free_bytes(self) -> int:
        """Free disk space where the folder lies or would lie."""
        return shutil.disk_usage(next(place for place in (self.path, *self.path.parents) if place.is_dir())).free

    def load(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder, {} when it is not there."""
        try:
            content = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise StackError(f"{self.path / name} is not readable JSON: `motcua down --wipe` starts anew") from None
        if not isinstance(content, dict):
            raise StackError(f"{self.path / name} is not a JSON object: `motcua down --wipe` starts anew")
        return content

    def save(self, name: str, content: dict[str, Any]) -> None:
        """Replace a JSON file of the folder in one step; only its owner may read it."""
        write_private(self.path / name, json.dumps(content, indent=1, sort_keys=True) + "\n")

    def remember(self, part: str, **values: object) -> dict[str, Any]:
        """Add values to a part of `state.json` and give the whole part."""
        state = self.load("state.json")
        state[part] = {**state.get(part, {}), **values}
        self.save("state.json", state)
        kept: dict[str, Any] = state[part]
        return kept

    def recall(self, part: str) -> dict[str, Any]:
        """A part of `state.json`, {} when nothing was remembered."""
        kept: dict[str, Any] = self.load("state.json").get(part, {})
        return kept

    @contextmanager
    def lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        """Hold the named lock; yields False when another process has it and `wait` is false."""
        with (self.path / f"{name}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield True
            file.truncate(0)

    def holder(self, name: str) -> int | None:
        """The process that holds the named lock, None when none does."""
        if not self.is_locked(name):
            return None
        text = (self.path / f"{name}.lock").read_text()
        return int(text) if text else None

    def is_locked(self, name: str) -> bool:
        """Whether some process holds the named lock now."""
        path = self.path / f"{name}.lock"
        if not path.exists():
            return False
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def wipe(self) -> None:
        """Remove everything in the folder."""
        if self.exists():
            shutil.rmtree(self.path)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step. It is on the disk when this returns: what a key in it seals must not outlive it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
