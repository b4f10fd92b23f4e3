"""The metrics service: projections of the cases, and what is shown of them."""
