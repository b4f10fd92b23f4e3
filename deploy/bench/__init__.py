"""Benchmarks beside hand-written floors: pairs of runs, medians, and the ratio between them."""
