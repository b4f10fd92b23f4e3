"""What the metrics service knows, as pure functions: no clock, no I/O."""
