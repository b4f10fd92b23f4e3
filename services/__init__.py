"""The four services. None imports another; they share events, never tables."""
