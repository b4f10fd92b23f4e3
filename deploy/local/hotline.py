"""The hotline's two folders on the local stack: mapping files, and the secrets that sources sign with.

A secrets file is named as its source and holds one secret or two, the current one first: while a vendor changes over, both count.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import shared.hotline
from deploy.local.errors import StackError
from deploy.local.settings import PREFIX
from deploy.local.state import StateFolder, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.hotline.authentication import Authentication

PACKAGED: Final = Path(shared.hotline.__file__).parent / "mappings"
"""The mappings that the product ships; a file of the same name in the stack's folder takes its place."""
MAPPINGS_SETTING: Final = f"{PREFIX}HOTLINE_DIR"
SECRETS_SETTING: Final = f"{PREFIX}HOTLINE_SECRETS_DIR"
LIVE: Final = 2
"""How many secrets of a source count at once."""
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the mapping files are, and the secrets."""

    mappings: Path
    secrets: Path

    @classmethod
    def of(cls, state: StateFolder, environment: Mapping[str, str]) -> Folders:
        """Those that the settings name, else those of the state folder."""
        return cls(
            Path(environment.get(MAPPINGS_SETTING) or state.path / "hotline"),
            Path(environment.get(SECRETS_SETTING) or state.path / "hotline-secrets"),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name them."""
        return {MAPPINGS_SETTING: str(self.mappings), SECRETS_SETTING: str(self.secrets)}

    def make(self) -> None:
        """Make what is missing of them. StackError when that cannot be."""
        try:
            for folder in (self.mappings, self.secrets):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StackError(f"the hotline's folder {error.filename} cannot be made ({error.strerror})") from None

    def mapping_file(self, source: str) -> Path | None:
        """The mapping in force of a source: the stack's own, else the packaged one, None when there is neither."""
        places = (self.mappings / f"{source}.yaml", PACKAGED / f"{source}.yaml")
        return next((place for place in places if place.is_file()), None)

    def secrets_of(self, source: str) -> list[str]:
        """The live secrets of a source, the current one first; [] when it has none."""
        try:
            lines = (self.secrets / source).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines if line.strip()][:LIVE]

    def write_secrets(self, source: str, live: list[str]) -> None:
        """Replace the secrets of a source in one step; only the file's owner may read it."""
        self.make()
        write_private(self.secrets / source, "".join(f"{each}\n" for each in live))


def new_secret(authentication: Authentication) -> str:
    """A new secret as the scheme writes it: `whsec_…` for Standard Webhooks, `user:password` for basic."""
    from shared.hotline.signing import make_secret

    return make_secret(authentication, secrets.token_bytes(_BYTES))


def make_shipped_secrets(folders: Folders) -> None:
    """Give each shipped source that has none a secret, so that it can be tried at once."""
    from shared.hotline.reading import read_mapping

    for file in sorted(PACKAGED.glob("*.yaml")):
        if not (folders.secrets / file.stem).is_file():
            mapping = read_mapping(file.read_text(encoding="utf-8"), file.name)
            folders.write_secrets(mapping.source, [new_secret(mapping.authentication)])


def make_hotline(state: StateFolder) -> Folders:
    """The folders that the services of this stack will read; secrets of shipped sources only where the folder is our own."""
    folders = Folders.of(state, os.environ)
    folders.make()
    if folders.secrets.is_relative_to(state.path):
        make_shipped_secrets(folders)
    return folders
