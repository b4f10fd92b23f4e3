"""Master keys, data keys and sealed values: what opens where, what does not, and what a rotation changes."""

from __future__ import annotations

import base64
import hmac
import os
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.key_file import CipherError, KeyFile, derived, key_id, read_key_file
from shared.security.key_ring import PREFIX_BYTES, KeyRing, _stamp_of, context_of, id_of
from shared.settings import SettingError
from tests.support.keys import seal_version_1

OLD, NEW = b"o" * 32, b"n" * 32
CASE, OTHER = uuid4(), uuid4()
TEXT = "Nguyễn Thị Mẫu".encode()
PINNED_CASE = UUID("01a1e1e9-d728-7bfc-9416-0a1e8674dac6")
PINNED = {
    "contact": "AW5cB8THzTvrdohipHy+hyzoYNGx0p8EzNyUKRBiySgYBXFYVR0droTeEgx8u7cQIQ==",
    "note": "Ag6sq+/4x++nNRDfpAgZ5JxtgWcbF5svYF+BGUF8jIiLkDRRnCPJAAI9aXD/zojGrB+QS8r2keqtUmne3e9t+IkcuDQA1xrRQAa3"
    "FODmON4wnxMHsG24TZMFQmUcJiNstcuxyIdxg3iQteU00iJT+RI=",
}
"""A value of each version as it was sealed once under `OLD`; both must open for ever."""


def write(file: Path, *keys: bytes, digest: bytes | None = None) -> Path:
    """A key file that replaces the one before, as `motcua keys` does."""
    draft = file.with_name("draft")
    draft.write_text(KeyFile(keys, digest).as_text())
    return draft.replace(file)


@given(st.binary(max_size=5000), st.sampled_from(["contact", "note", "personal", f"note/{uuid4()}"]))
def test_what_is_sealed_opens_again(plaintext: bytes, what: str) -> None:
    ring = KeyRing([OLD])
    assert ring.open(ring.new_case(CASE).seal(plaintext, what), CASE, what) == plaintext


def test_a_value_opens_for_its_own_case_and_name_only() -> None:
    ring = KeyRing([OLD])
    sealed = ring.new_case(CASE).seal(TEXT, "note")
    for case_id, what in ((OTHER, "note"), (CASE, "contact"), (CASE, "note/1"), (CASE, "")):
        with pytest.raises(CipherError):
            ring.open(sealed, case_id, what)


@pytest.mark.parametrize("place", range(0, 77 + len(TEXT) + 16, 3))
def test_a_changed_byte_opens_nothing(place: int) -> None:
    ring = KeyRing([OLD])
    sealed = bytearray(ring.new_case(CASE).seal(TEXT, "note"))
    sealed[place] ^= 1
    with pytest.raises(CipherError):
        ring.open(bytes(sealed), CASE, "note")


@given(st.integers(min_value=0, max_value=120))
def test_a_value_that_is_cut_off_opens_nothing(length: int) -> None:
    ring = KeyRing([OLD])
    sealed = ring.new_case(CASE).seal(TEXT, "contact")
    for beginning in (sealed[: min(length, len(sealed) - 1)], seal_version_1(OLD, CASE, TEXT)[: min(length, 46)]):
        with pytest.raises(CipherError):
            ring.open(beginning, CASE, "contact")


@pytest.mark.parametrize("what", PINNED)
def test_what_was_once_sealed_opens_for_ever(what: str) -> None:
    assert KeyRing([NEW, OLD]).open(base64.b64decode(PINNED[what]), PINNED_CASE, what) == TEXT


def test_a_data_key_of_one_case_does_not_serve_another() -> None:
    ring = KeyRing([OLD])
    ours, theirs = ring.new_case(CASE).seal(TEXT, "note"), ring.new_case(OTHER).seal(TEXT, "note")
    with pytest.raises(CipherError):
        ring.open(theirs[:65] + ours[65:], CASE, "note")
    with pytest.raises(CipherError):
        ring.key_of(theirs, CASE)


def test_equal_texts_are_sealed_differently_each_time() -> None:
    ring = KeyRing([OLD])
    key = ring.new_case(CASE)
    assert len({key.seal(TEXT, "note"), key.seal(TEXT, "note"), ring.new_case(CASE).seal(TEXT, "note")}) == 3


def test_more_can_be_sealed_under_the_same_data_key() -> None:
    ring = KeyRing([OLD])
    first = ring.new_case(CASE).seal(TEXT, "contact")
    second = ring.key_of(first, CASE).seal(b"more", "note")
    assert second[:65] == first[:65]
    assert ring.open(second, CASE, "note") == b"more"


def test_version_1_still_opens_and_only_as_a_contact_of_its_case() -> None:
    sealed = seal_version_1(OLD, CASE, TEXT)
    assert KeyRing([OLD]).open(sealed, CASE, "contact") == TEXT
    assert KeyRing([NEW, OLD]).open(sealed, CASE, "contact") == TEXT
    for ring, case_id, what in (
        (KeyRing([NEW]), CASE, "contact"),
        (KeyRing([OLD]), OTHER, "contact"),
        (KeyRing([OLD]), CASE, "note"),
    ):
        with pytest.raises(CipherError):
            ring.open(sealed, case_id, what)


def test_a_rewrapped_value_needs_the_new_key_alone() -> None:
    both, before = KeyRing([NEW, OLD]), KeyRing([OLD])
    sealed = before.new_case(CASE).seal(TEXT, "note")
    rewrapped = both.rewrap(sealed, CASE, "note")
    assert (rewrapped[:PREFIX_BYTES], id_of(rewrapped)) == (both.prefix, key_id(NEW).hex())
    assert rewrapped[65:] == sealed[65:], "the text was not sealed anew"
    assert KeyRing([NEW]).open(rewrapped, CASE, "note") == TEXT
    with pytest.raises(CipherError):
        before.open(rewrapped, CASE, "note")
    assert both.rewrap(rewrapped, CASE, "note") is rewrapped
    with pytest.raises(CipherError):
        KeyRing([NEW]).rewrap(sealed, CASE, "note")


def test_version_1_is_rewrapped_to_version_2() -> None:
    both = KeyRing([NEW, OLD])
    rewrapped = both.rewrap(seal_version_1(OLD, CASE, TEXT), CASE, "contact")
    assert rewrapped[:PREFIX_BYTES] == both.prefix
    assert KeyRing([NEW]).open(rewrapped, CASE, "contact") == TEXT


def test_the_layout_is_what_the_module_says() -> None:
    ring = KeyRing([OLD])
    sealed = ring.new_case(CASE).seal(TEXT, "contact")
    assert (sealed[:1], sealed[1:5], len(sealed)) == (b"\x02", key_id(OLD), 1 + 4 + 12 + 48 + 12 + len(TEXT) + 16)
    assert context_of(CASE, "contact") == f"{CASE}/contact".encode()
    assert id_of(b"") == id_of(seal_version_1(OLD, CASE, b"")) == "version 1"


def test_a_file_of_one_key_has_the_digests_it_always_had(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(base64.b64encode(OLD).decode())
    assert KeyRing.from_file(file).digest(b"content") == hmac.digest(derived(OLD, b"digest"), b"content", "sha256")


def test_digests_and_tokens_outlive_a_rotation_and_a_retirement() -> None:
    first = KeyFile((OLD,))
    rotated = first.with_new(NEW)
    retired = rotated.without((OLD,))
    by_hand = KeyFile((NEW,), rotated.digest_key)
    assert (rotated.keys, retired.keys) == ((NEW, OLD), (NEW,))
    rings = [KeyRing(each.keys, each.digest_key) for each in (first, rotated, retired, by_hand)]
    assert len({ring.digest(b"content") for ring in rings}) == 1
    assert len({ring.token("phone", "0900000000") for ring in rings}) == 1
    assert KeyRing([NEW]).digest(b"content") != rings[0].digest(b"content")


def test_tokens_differ_by_kind_value_and_key() -> None:
    ring = KeyRing([OLD])
    tokens = {ring.token("phone", "1"), ring.token("email", "1"), ring.token("phone", "2"), KeyRing([NEW]).token("phone", "1")}
    assert len(tokens) == 4
    assert {len(each) for each in tokens} == {16}


def test_what_a_file_says_is_read_as_it_was_written(tmp_path: Path) -> None:
    content = KeyFile((NEW, OLD), b"d" * 32)
    assert read_key_file(write(tmp_path / "key", NEW, OLD, digest=b"d" * 32)) == content


@pytest.mark.parametrize(
    "text",
    ["", "\n", "no base64!", base64.b64encode(b"short").decode(), "digest " + base64.b64encode(OLD).decode(), "digest x",
     "\n".join(["digest " + base64.b64encode(OLD).decode()] * 2 + [base64.b64encode(NEW).decode()]),
     "\n".join([base64.b64encode(OLD).decode()] * 2)],
)  # fmt: skip
def test_a_file_of_no_use_stops_the_start_without_showing_what_it_holds(text: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(SettingError, match="MOTCUA_PRIVATE_KEY_FILE") as caught:
        KeyRing.from_file(tmp_path / "key")
    assert base64.b64encode(OLD).decode() not in str(caught.value)
    with pytest.raises(SettingError, match="MOTCUA_PRIVATE_KEY_FILE"):
        KeyRing.from_file(tmp_path / "absent")


def test_a_new_key_is_used_after_the_file_was_written(tmp_path: Path) -> None:
    ring = KeyRing.from_file(write(tmp_path / "key", OLD))
    sealed = ring.new_case(CASE).seal(TEXT, "note")
    assert not ring.refresh()
    write(tmp_path / "key", NEW, OLD, digest=derived(OLD, b"digest"))
    assert ring.refresh()
    assert (ring.current, ring.ids) == (key_id(NEW), (key_id(NEW), key_id(OLD)))
    assert ring.open(sealed, CASE, "note") == TEXT


def test_a_value_under_a_key_that_came_meanwhile_opens_at_once(tmp_path: Path) -> None:
    reader = KeyRing.from_file(write(tmp_path / "key", OLD))
    write(tmp_path / "key", NEW, OLD, digest=derived(OLD, b"digest"))
    sealed = KeyRing.from_file(tmp_path / "key").new_case(CASE).seal(TEXT, "note")
    assert reader.open(sealed, CASE, "note") == TEXT


def test_a_file_of_no_use_or_with_other_digests_changes_nothing_while_running(tmp_path: Path) -> None:
    ring = KeyRing.from_file(write(tmp_path / "key", OLD))
    for spoil in (
        lambda: (tmp_path / "key").write_text("spoilt"),
        lambda: write(tmp_path / "key", NEW),  # without the digest line every idempotency key would be a conflict
        (tmp_path / "key").unlink,
    ):
        spoil()
        assert not ring.refresh()
        assert ring.ids == (key_id(OLD),)
    write(tmp_path / "key", NEW, OLD)
    assert ring.refresh(), "the last line is the same: so are the digests"


def test_a_file_that_could_not_be_read_is_tried_again_although_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing.from_file(write(tmp_path / "key", OLD))
    write(tmp_path / "key", NEW, OLD)
    warned: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr("shared.security.key_ring.read_key_file", lambda _: read_key_file(tmp_path))
        patch.setattr("shared.security.key_ring.log", SimpleNamespace(warning=lambda said, **_: warned.append(said)))
        assert [ring.refresh(), ring.refresh()] == [False, False]
    assert len(warned) == 1
    assert ring.refresh()
    assert (ring.ids, ring.refresh()) == ((key_id(NEW), key_id(OLD)), False)


def test_a_file_that_was_written_within_one_tick_and_size_is_seen(tmp_path: Path) -> None:
    file = write(tmp_path / "key", OLD)
    kept, ring = file.stat(), KeyRing.from_file(file)
    with file.open("r+") as opened:
        opened.write(KeyFile((NEW,)).as_text())
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert (file.stat().st_ino, file.stat().st_mtime_ns, file.stat().st_size) == (kept.st_ino, kept.st_mtime_ns, kept.st_size)
    assert ring._stamp != _stamp_of(file)


def test_no_key_is_shown_by_what_stands_for_it() -> None:
    ring, content = KeyRing([OLD]), KeyFile((OLD,))
    shown = f"{ring!r} {ring.new_case(CASE).wrapped!r} {key_id(OLD).hex()}"
    assert repr(OLD) not in shown + repr(content)
    assert OLD.hex() not in shown
