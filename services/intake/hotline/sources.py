"""The sources that are known now: a mapping for each, and the secrets that it signs with; read again when a file changes.

A file that is broken changes nothing: the mapping that was in force stays. So it does while a folder cannot be read, and for a
while after its file was last seen: files are moved and written anew, folders are mounted again. Mapping files are
`<source>.yaml`; those of the operator's folder take the place of packaged ones of the same name, which come back with a restart
only, since the secrets are those of the operator's. Secrets are in files named as the source, one a line, two at most; the
newest may be first or last, since both count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import structlog

import shared.hotline
from services.intake.hotline.files import Secrets, content_of, mapping_files
from services.intake.hotline.series import HotlineSeries
from shared.hotline import mapping as mappings
from shared.hotline.reading import Fault, MappingError, read_mapping
from shared.service import Job

PACKAGED: Final = Path(shared.hotline.__file__).with_name("mappings")
RELOAD_SECONDS: Final = 2.0
LOOKS_ABSENT: Final = 15
"""Looks after which a mapping whose file is gone is out of force: half a minute."""
FOLDERS: Final = "hotline"
"""What is told to be of no use while a folder cannot be read."""
log = structlog.get_logger()


class Source(NamedTuple):
    """A source with its mapping in force, the hash of its file, and its live secrets."""

    mapping: mappings.Mapping
    digest: str
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The source's slug."""
        return self.mapping.source


class _File(NamedTuple):
    """A mapping file as it was seen last: its hash, and what it says unless it is broken; how many looks ago it was there."""

    digest: str
    mapping: mappings.Mapping | None
    told: tuple[str, ...] = ()
    absent: int = 0

    @property
    def gone(self) -> _File:
        """It is not there any more."""
        return self._replace(absent=self.absent + 1)


@dataclass(slots=True)
class Sources:
    """Every known source. `folder` and `secrets` are the operator's, None where there are none."""

    folder: Path | None
    secrets: Path | None
    series: HotlineSeries
    packaged: Path = PACKAGED
    _proofs: Secrets = field(init=False)
    _seen: dict[str, _File] = field(default_factory=dict)
    _known: dict[str, Source] = field(default_factory=dict)
    _by_ce_source: dict[str, Source] = field(default_factory=dict)
    _useless: frozenset[str] = frozenset()
    _own: set[str] = field(default_factory=set)
    _proven: set[str] = field(default_factory=set)
    _is_blind: bool = False

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self._proofs = Secrets(self.secrets)

    def get(self, name: str) -> Source | None:
        """The source of this name."""
        return self._known.get(name)

    def of_ce_source(self, ce_source: str) -> Source | None:
        """The source that a CloudEvent's `source` means."""
        return self._by_ce_source.get(ce_source)

    def awaited(self, name: str) -> str | None:
        """A source that is not in force, but that what it sends must not be lost of; None when it is none of ours.

        The operator has a file of it that is broken, or was there before, or it had a secret. While a folder cannot be read
        nobody can tell: then it is `unknown`.
        """
        if name in self._own or name in self._proven:
            return name
        return mappings.UNKNOWN_SOURCE if self._is_blind else None

    @property
    def all(self) -> Iterable[Source]:
        """Every source, in the order of names."""
        return self._known.values()

    def refresh(self) -> None:
        """Read what has changed."""
        files = self._files()
        seen = self._seen if files is None else dict(self._look_at(files))
        known = self._in_force(seen)
        self._tell(seen, known, is_blind=files is None or not self._proofs.are_there)
        self._seen, self._known = seen, known
        self._proven |= {name for name, source in known.items() if source.secrets}
        self._by_ce_source = {each: source for source in known.values() for each in source.mapping.kafka_sources}

    def _files(self) -> dict[str, Path] | None:
        """Every mapping file, None when a folder cannot be read."""
        try:
            packaged, own = mapping_files(self.packaged), mapping_files(self.folder)
        except OSError as error:
            if not self._is_blind:
                log.error("mappings stay as they are, a folder cannot be read", error=type(error).__name__)  # noqa: TRY400 - its class says it
            return None
        self._own |= own.keys()
        return {name: path for name, path in packaged.items() if name not in self._own} | own

    def _look_at(self, files: Mapping[str, Path]) -> Iterator[tuple[str, _File]]:
        """Each file as it is now, and for a while those that are gone."""
        for name in sorted({*files, *self._seen}):
            file = self._look(name, files[name]) if name in files else self._seen[name].gone
            if file.absent < LOOKS_ABSENT:
                yield name, file

    def _in_force(self, seen: Mapping[str, _File]) -> dict[str, Source]:
        """The file's mapping of each, or the last one that could be used. Of two with one `ce_source` the later is not taken."""
        known: dict[str, Source] = {}
        heard: set[str] = set()
        for name in sorted(seen, key=lambda name: (not self._is_in_use(name, seen[name]), name)):
            for mapping, digest in self._choices(name, seen[name]):
                if heard.isdisjoint(mapping.kafka_sources):
                    heard |= mapping.kafka_sources
                    known[name] = Source(mapping, digest, self._proofs.of(name, mapping.authentication))
                    break
        return dict(sorted(known.items()))

    def _is_in_use(self, name: str, file: _File) -> bool:
        return name in self._known and self._known[name].digest == file.digest

    def _choices(self, name: str, file: _File) -> Iterator[tuple[mappings.Mapping, str]]:
        if file.mapping is not None:
            yield file.mapping, file.digest
        before = self._known.get(name)
        if before is not None:
            yield before.mapping, before.digest

    def _tell(self, seen: Mapping[str, _File], known: Mapping[str, Source], *, is_blind: bool) -> None:
        """Tell what is in use and what is not as it stands, where that has changed."""
        useless = frozenset(
            name for name, file in seen.items() if file.absent or name not in known or known[name].digest != file.digest
        )
        for name in sorted(useless - self._useless):
            if (file := seen[name]).absent:
                log.error("the file of a mapping is gone; for a while it stays in force", name=name)
            elif file.mapping is not None:
                log.error("a mapping cannot be used, another one has its ce_source; the one in force stays", name=name)
        digests = {name: source.digest for name, source in known.items()}
        before = {name: source.digest for name, source in self._known.items()}
        if (digests, useless, is_blind) != (before, self._useless, self._is_blind):
            in_use = {_series_name(name): digest for name, digest in digests.items()}
            self.series.tell_configuration(in_use, [*map(_series_name, useless), *([FOLDERS] if is_blind else ())])
        self._useless, self._is_blind = useless, is_blind

    def _look(self, name: str, path: Path) -> _File:
        before = self._seen.get(name)
        try:
            content = content_of(path)
        except OSError as error:
            return self._broken(name, before, "", [f"{path.name}: cannot be read ({type(error).__name__})"])
        digest = hashlib.sha256(content).hexdigest()
        if before is not None and before.digest == digest:
            return before._replace(absent=0)
        try:
            mapping = read_mapping(content.decode(), path.name)
            if mapping.source != name:
                raise MappingError([Fault(path.name, None, "file_name", f"must be called {mapping.source}.yaml, as its source")])
        except UnicodeDecodeError:
            return self._broken(name, before, digest, [f"{path.name}: is not UTF-8"])
        except MappingError as error:
            return self._broken(name, before, digest, [str(fault) for fault in error.faults])
        log.info("mapping in use", name=name, hash=digest)
        return _File(digest, mapping)

    @staticmethod
    def _broken(name: str, before: _File | None, digest: str, told: list[str]) -> _File:
        if before is None or before.told != tuple(told):
            log.error("a mapping cannot be used; the one in force stays", name=name, faults=told[:20])
        return _File(digest, None, tuple(told))


def _series_name(source: str) -> str:
    return f"hotline/{source}"


def make_reload(sources: Sources) -> Job:
    """The loop that reads the folders again."""

    async def run() -> None:
        sources.refresh()

    return Job("hotline mappings", RELOAD_SECONDS, run)
