"""Every SQL statement of the metrics service: what a batch writes, and what figures and collectors read."""
