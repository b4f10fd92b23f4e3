"""Files a file of cases (NDJSON, one a line) through intake's bulk route, and goes on where it was interrupted."""
