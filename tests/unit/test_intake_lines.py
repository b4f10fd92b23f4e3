"""NDJSON lines come out the same however the network cuts the bytes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.lines import Line, LineSplitter


def split(chunks: list[bytes], longest: int = 64) -> list[Line]:
    splitter = LineSplitter(longest)
    return [line for chunk in chunks for line in splitter.feed(chunk)] + list(splitter.finish())


def expected(content: bytes, longest: int = 64) -> list[Line]:
    """The same by the book, all bytes at once."""
    lines = [Line(number, piece) for number, piece in enumerate(content.split(b"\n"), 1)]
    kept = [line for line in lines if line.content is not None and (len(line.content) > longest or line.content.strip())]
    return [Line(line.number, None) if len(line.content or b"") > longest else line for line in kept]


contents = st.lists(
    st.one_of(st.binary(max_size=80), st.sampled_from([b"", b" ", b"\r", b"{}", b"x" * 64, b"x" * 65, b"x" * 500])),
    max_size=12,
).map(b"\n".join)


@given(content=contents, data=st.data())
def test_lines_do_not_depend_on_how_the_bytes_are_cut(content: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=20)))
    bounds = [0, *cuts, len(content)]
    chunks = [content[start:end] for start, end in pairwise(bounds)]
    assert split(chunks) == expected(content)


@given(content=contents)
def test_lines_may_come_byte_by_byte(content: bytes) -> None:
    assert split([bytes([byte]) for byte in content]) == expected(content)


def test_numbers_count_empty_lines_too() -> None:
    assert split([b"a\n\n  \nb"]) == [Line(1, b"a"), Line(4, b"b")]


def test_a_line_that_is_too_long_is_answered_and_the_rest_goes_on() -> None:
    assert split([b"x" * 40, b"x" * 40, b"x" * 4000 + b"\nnext\n"]) == [Line(1, None), Line(2, b"next")]


def test_a_splitter_never_holds_more_than_one_line() -> None:
    splitter = LineSplitter(100)
    for _ in range(1000):
        assert list(splitter.feed(b"x" * 1000)) == []
    assert len(splitter._held) <= 100
    assert list(splitter.finish()) == [Line(1, None)]
