"""Apache Kafka of the local stack: one KRaft node on this machine's Java, or the address of another."""

from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.given import GivenKafka

__all__ = ["GivenKafka", "LocalKafka"]
