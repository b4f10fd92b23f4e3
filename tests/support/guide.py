"""The integrator's guide as tests read it: its code blocks by language, and the commands of its first half hour."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GUIDES = {language: ROOT / "deploy/hotline" / name for language, name in {"en": "GUIDE.md", "vi": "GUIDE.vi.md"}.items()}
VENDOR = ROOT / "tests/samples/voxsaigon"


class Block(NamedTuple):
    """A fenced block: its language ("" for none) and its text with a line's end at the end."""

    language: str
    text: str


def blocks(guide: Path = GUIDES["en"]) -> list[Block]:
    """Every block, in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(*each) for each in found]


def program(language: str) -> str:
    """The program of the guide that signs in this language; in bash it is the block that is a whole script."""
    return next(each.text for each in blocks() if each.language == language and "webhook-signature" in each.text)


def commands() -> list[list[str]]:
    """The words of each command of the first half hour."""
    scripts = [each.text for each in blocks() if each.language == "bash" and "webhook-signature" not in each.text]
    return [line.split() for script in scripts for line in script.splitlines()]
