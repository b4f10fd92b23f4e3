"""Tells applicants what happens to their cases, once per fact, recipient and channel."""
