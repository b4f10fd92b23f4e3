"""A call centre plugged in by one file: what its payloads mean, how they are signed. Pure: no I/O, no clock, no framework."""
