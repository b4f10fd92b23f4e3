"""Kafka: the batch consumer, parking, the outbox relay, topics and lag."""
