"""Reading XES files: what is kept, and what is refused in one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from deploy.imports.errors import ImportFileError
from deploy.imports.xes import read_traces

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0" xmlns="http://www.xes-standard.org/">'
GLOBALS = '<global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>'
LOG_ATTRIBUTE = '<string key="of-the-log" value="v"><string key="nested" value="n"/></string>'
TRACE = (
    '<trace><string key="concept:name" value="case-1"><string key="nested" value="x"/></string>'
    '<event><string key="concept:name" value="A &amp; B"/>'
    '<date key="time:timestamp" value="2011-10-11T13:45:40+02:00"/></event>'
    '<event><string key="concept:name" value="C"/>'
    '<list key="l"><values><string key="in" value="x"/></values></list></event>'
    '<boolean key="late" value="true"/></trace>'
)
WHOLE = HEAD + GLOBALS + LOG_ATTRIBUTE + TRACE + "<trace/></log>"


def written(folder: Path, content: str | bytes, name: str = "log.xes") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_traces_keep_their_own_attributes_and_events_only(tmp_path: Path) -> None:
    first, second = read_traces(written(tmp_path, WHOLE))
    assert dict(first.attributes) == {"concept:name": "case-1", "late": "true"}
    assert [dict(event) for event in first.events] == [
        {"concept:name": "A & B", "time:timestamp": "2011-10-11T13:45:40+02:00"},
        {"concept:name": "C"},
    ]
    assert (second.index, second.attributes, second.events) == (2, {}, [])


def test_a_gzip_file_reads_the_same_whatever_its_name(tmp_path: Path) -> None:
    plain = list(read_traces(written(tmp_path, WHOLE)))
    for name in ("log.xes.gz", "packed.xes"):
        assert list(read_traces(written(tmp_path, gzip.compress(WHOLE.encode()), name))) == plain


def test_a_log_without_namespace_is_read(tmp_path: Path) -> None:
    assert len(list(read_traces(written(tmp_path, f"<log>{TRACE}</log>")))) == 1


def refusal(path: Path) -> str:
    with pytest.raises(ImportFileError) as error:
        list(read_traces(path))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_plain_file_named_gz_is_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, WHOLE, "log.xes.gz")) == "log.xes.gz: is named .gz but is not a gzip file"


def test_a_gzip_file_cut_off_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(WHOLE.encode())
    assert "damaged or cut off" in refusal(written(tmp_path, packed[:-20], "log.xes.gz"))


def test_a_gzip_file_with_damaged_bytes_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(WHOLE.encode()))
    packed[30] ^= 0xFF
    assert refusal(written(tmp_path, bytes(packed), "log.xes.gz")).startswith("log.xes.gz: ")


def test_broken_xml_names_the_trace_and_the_line(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, HEAD + "\n" + TRACE + "\n<trace><event></trace></log>"))
    assert said == "log.xes: trace 2: broken XML at line 4: mismatched tag"


@pytest.mark.parametrize("content", ["", "no xml", HEAD])
def test_what_is_no_whole_document_is_refused(tmp_path: Path, content: str) -> None:
    assert "broken XML" in refusal(written(tmp_path, content))


def test_another_xml_document_is_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, "<html><trace/></html>")) == ("log.xes: is XML but not an XES log: its root is not <log>")


def test_entity_expansion_is_refused_before_any_entity_is_used(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><log>&b;</log>'
    assert "document type" in refusal(written(tmp_path, bomb))


def test_an_external_entity_is_refused_and_not_fetched(tmp_path: Path) -> None:
    secret = written(tmp_path, "secret", "secret.txt")
    text = f'<!DOCTYPE log [<!ENTITY x SYSTEM "{secret.as_uri()}">]><log><trace>&x;</trace></log>'
    assert "document type" in refusal(written(tmp_path, text))


def test_an_undeclared_entity_is_refused(tmp_path: Path) -> None:
    assert "undefined entity" in refusal(written(tmp_path, "<log>&nothing;</log>"))


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="klingon"?><log/>'
    assert refusal(written(tmp_path, text)).startswith("log.xes: ")


def test_elements_nested_without_end_are_refused(tmp_path: Path) -> None:
    assert "nested deeper than 100" in refusal(written(tmp_path, "<log>" + "<list>" * 200_000))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.xes")
    assert "cannot be read" in refusal(tmp_path)
