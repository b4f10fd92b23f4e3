"""What an import can refuse: one line naming the file, the place in it and the rule."""

from __future__ import annotations


class ImportFileError(ValueError):
    """The log or the mapping cannot be used."""

    def __init__(self, file: str, place: str, rule: str) -> None:
        """`place` may be empty when the whole file is meant."""
        super().__init__(": ".join(part for part in (file, place, rule) if part))
        self.file, self.place, self.rule = file, place, rule
