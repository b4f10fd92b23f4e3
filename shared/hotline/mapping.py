"""A mapping file: where a vendor's payload says what a hotline event needs; strict, so that a misspelt key is an error.

A field is a JMESPath expression (`call_id: data.sid`), a constant (`{value: other}`), or an expression with a table of the
vendor's words (`{expression: status, table: {"5": ended}}`). One block for each kind of event gives the fields of its contract
(`shared.contracts.hotline`).
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, PrivateAttr, StringConstraints, model_validator

from shared.contracts.model import Slug
from shared.hotline.authentication import Authentication
from shared.hotline.blocks import (
    Block,
    CallBlock,
    CountBlock,
    DossierBlock,
    EventKind,
    KindValue,
    RatedBlock,
    ReopenedBlock,
    TicketBlock,
)
from shared.hotline.quiet_hours import ExpectedSilence
from shared.hotline.strict import Expression, Strict
from shared.hotline.values import AgencyValue, SequenceValue, TimeValue

UNKNOWN_SOURCE: Final = "unknown"
"""What stands for a source that no mapping names; so no mapping may have this name."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _is_free(name: str) -> str:
    if name == UNKNOWN_SOURCE:
        raise ValueError(f"{UNKNOWN_SOURCE} is no name of a source, but stands for those that have none")
    return name


class Title(Strict):
    """What people read: Vietnamese first."""

    vi: Text
    en: Text


class Kafka(Strict):
    """Events of this source that come on `hotline-events`: the value of their `ce_source`."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Mapping(Strict):
    """A whole mapping file.

    With `shape: cloudevents` a payload is a CloudEvent or a list of them, and expressions see the data, and the attributes as
    `ce`, by whichever door it comes. With `shape: normalised` the data is our own contract, and nothing is mapped.
    """

    source: Annotated[Slug, AfterValidator(_is_free)]
    title: Title
    agency: AgencyValue
    authentication: Authentication
    shape: Literal["vendor", "cloudevents", "normalised"] = "vendor"
    events: Expression | None = None
    id: Expression | None = None
    id_from: Annotated[list[Expression], Field(min_length=1)] | None = None
    time: TimeValue | None = None
    sequence: SequenceValue | None = None
    kind: KindValue | None = None
    call: CallBlock | None = None
    ticket: TicketBlock | None = None
    reopened: ReopenedBlock | None = None
    rated: RatedBlock | None = None
    dossier: DossierBlock | None = None
    count: CountBlock | None = None
    expected_silence: ExpectedSilence
    kafka: Kafka | None = None

    _lines: dict[tuple[Hashable, ...], int] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _shape_is_whole(self) -> Mapping:
        mapped = ("events", "id", "id_from", "time", "sequence", "kind", *self.blocks)
        if self.shape == "normalised":
            given = [name for name in mapped if getattr(self, name, None) is not None]
            if given:
                raise ValueError(f"{given[0]}: a normalised source has nothing to map")
            return self
        if (self.id is None) == (self.id_from is None):
            raise ValueError("give exactly one of id and id_from")
        if self.time is None or self.kind is None:
            raise ValueError("time and kind are needed")
        self._check_blocks(self.kind.kinds - {EventKind.NOTHING})
        return self

    def _check_blocks(self, kinds: set[EventKind]) -> None:
        for kind in sorted(kinds):
            if kind not in self.blocks:
                raise ValueError(f"{kind}: the table of kind names it, but it has no block of fields")
        for name in self.blocks:
            if name not in kinds:
                raise ValueError(f"{name}: the table of kind never gives it")

    @functools.cached_property
    def blocks(self) -> dict[EventKind, Block]:
        """The block of each kind that has one."""
        return {kind: block for kind in EventKind if isinstance(block := getattr(self, kind, None), Block)}

    @property
    def home_agency(self) -> str:
        """The agency that the feed itself is reported to."""
        return self.agency.value or self.agency.default or ""

    @property
    def kafka_sources(self) -> frozenset[str]:
        """Values of `ce_source` that mean this source."""
        return frozenset({self.kafka.source} if self.kafka is not None else {self.source, f"/{self.source}"})

    def line_of(self, *path: Hashable) -> int | None:
        """The line (from 1) of the nearest entry on the way to `path`; None for a mapping that was not read from a file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None
