"""Tokens and encryption."""
