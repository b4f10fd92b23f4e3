"""Running it: the command line, the local stack, the replay of a year, the import of logs."""
