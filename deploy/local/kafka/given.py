"""A Kafka that somebody else runs."""

from __future__ import annotations

from deploy.local.kafka.probe import kafka_fault


class GivenKafka:
    """The address of the settings: checked, never started and never stopped. One broker that answers is enough."""

    name = "kafka"
    kind = "address"

    def __init__(self, bootstrap: str, *, plain: bool) -> None:
        self.address = bootstrap
        self._plain = plain

    def fault(self) -> str | None:
        """None when a broker of the list answers, else why the first does not."""
        faults = []
        for entry in self.address.split(","):
            host, _, port = entry.strip().rpartition(":")
            fault = kafka_fault(host.strip("[]"), int(port), plain=self._plain)
            if fault is None:
                return None
            faults.append(fault)
        return faults[0]
