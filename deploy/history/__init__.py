"""Past cases through the running services: filed in bulk at intake, moved on by commands, awaited at metrics."""
