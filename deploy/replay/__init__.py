"""A simulated year of one agency: a scenario file, and the pure model that draws the year from it."""
