"""Real event logs of other systems: reading a file, the mapping that explains it, the plan of cases."""
