"""The local stack: Kafka, PostgreSQL, the four services and Prometheus on one machine."""
