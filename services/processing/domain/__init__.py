"""The life of a case: pure, without a clock, a database or a framework."""
