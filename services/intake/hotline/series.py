"""The hotline's own series of one intake process: what became of events, and whether each mapping file is of use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.intake.hotline.arrivals import Arrival, Door, Taken

UNAUTHENTICATED = "unauthenticated"
"""The outcome of a request that nobody has proven to be the source's."""


class HotlineSeries:
    """Labels are closed: a source is one of the mappings' or `unknown`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "motcua_hotline_events",
            "Events of call centres by what became of them, and requests that were not authenticated.",
            ["source", "door", "outcome"],
            registry=registry,
        )
        self.valid = Gauge(
            "motcua_config_valid", "Whether the file of this name is in use as it is now.", ["name"], registry=registry
        )
        self.info = Gauge("motcua_config_info", "The content in use, by its hash.", ["name", "hash"], registry=registry)

    def count(self, arrival: Arrival, answers: Iterable[Taken]) -> None:
        """What became of one payload, once it is committed."""
        for taken in answers:
            self.events.labels(arrival.source, arrival.door, taken.outcome).inc()

    def count_unauthenticated(self, source: str) -> None:
        """A request that was not proven to be the source's."""
        self.events.labels(source, Door.WEBHOOK, UNAUTHENTICATED).inc()

    def tell_configuration(self, in_use: Mapping[str, str], broken: Iterable[str]) -> None:
        """Say which files are in use (name to hash), and which ones are not as they stand now."""
        wrong = set(broken)
        self.info.clear()
        self.valid.clear()
        for name, digest in in_use.items():
            self.info.labels(name, digest).set(1)
        for name in {*in_use, *wrong}:
            self.valid.labels(name).set(0 if name in wrong else 1)
