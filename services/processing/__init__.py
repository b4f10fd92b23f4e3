"""Processing owns the case: acceptance, code, due date, the way through the offices, resolution, return."""
