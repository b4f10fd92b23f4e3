"""What processing does: `records` for batches from Kafka, `officers` for HTTP, `settling` for what both have in common."""
