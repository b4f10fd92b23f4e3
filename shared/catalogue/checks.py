"""The catalogue's checks: each file by itself, then the files against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.catalogue.faults import Fault, Rule
from shared.catalogue.models import Field, FieldFile, Procedure, ProcedureFile
from shared.catalogue.reading import Document, read_document

PACKAGED: Final = Path(__file__).parent
_FIELDS_FILE: Final = "fields.yaml"
_ENTRY_DEPTH: Final = 2  # the name of the list and the index in it
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(slots=True)
class Reading:
    """What the files hold: fields and procedures by key, and every fault met."""

    fields: dict[str, Field] = field(default_factory=dict)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    field_of: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)


def files_of(folder: Path) -> list[Path]:
    """A catalogue folder's files: `fields.yaml`, then `procedures/*.yaml` by name."""
    return [folder / _FIELDS_FILE, *sorted((folder / "procedures").glob("*.yaml"))]


def check_files(paths: Sequence[Path] | None = None) -> list[Fault]:
    """Every fault of these files (of the packaged catalogue when None), in the order of the files and lines.

    A file of procedures may use the packaged fields and those of a fields file given with it.
    """
    if paths is None:
        return read_files(files_of(PACKAGED)).faults
    return read_files(paths, known=read_files([PACKAGED / _FIELDS_FILE]).fields).faults


def read_files(paths: Sequence[Path], known: dict[str, Field] | None = None) -> Reading:
    """Read and check files together; `known` are fields that need no file here."""
    reading = Reading()
    documents: list[Document] = []
    for path in paths:
        document = read_document(path)
        if isinstance(document, list):
            reading.faults += document
        elif isinstance(document.values, dict) and "fields" in document.values:
            _take_fields(reading, document)
        else:
            documents.append(document)
    fields = {**(known or {}), **reading.fields}
    for document in documents:
        _take_procedures(reading, document, fields)
    order = {str(path): index for index, path in enumerate(paths)}
    reading.faults.sort(key=lambda fault: (order[fault.file], fault.line or 0))
    return reading


def _take_fields(reading: Reading, document: Document) -> None:
    content = _validate(reading, document, FieldFile)
    _check_repeats(reading, document, ("fields", "slug"))
    reading.fields |= {entry.slug: entry for entry in (content.fields if content else ())}


def _take_procedures(reading: Reading, document: Document, fields: dict[str, Field]) -> None:
    content = _validate(reading, document, ProcedureFile)
    _check_repeats(reading, document, ("procedures", "code"))
    slug = document.texts.get(("field",))
    if slug is not None and slug not in fields:
        message = f"unknown field {slug!r}; known are {', '.join(sorted(fields))}"
        line = document.line_of(("field",))
        reading.faults.append(Fault(document.file, Rule.KNOWN_FIELD, message, line=line))
    if content is not None:
        reading.procedures |= {entry.code: entry for entry in content.procedures}
        reading.field_of |= {entry.code: content.field for entry in content.procedures}


def _check_repeats(reading: Reading, document: Document, where: tuple[str, str]) -> None:
    """Each key once in all files, by the text as written, so that other faults of the entry hide nothing."""
    section, word = where
    for path, key in document.texts.items():
        if len(path) != _ENTRY_DEPTH + 1 or (path[0], path[-1]) != where:
            continue
        line = document.line_of(path)
        first = reading.places.setdefault(f"{section} {key}", f"{document.file}:{line}")
        if first != f"{document.file}:{line}":
            message = f"the {word} is already in {first}; a {word} may stand once"
            reading.faults.append(Fault(document.file, Rule.DUPLICATE_CODE, message, entry=key, line=line))


def _validate(reading: Reading, document: Document, model: type[_Model]) -> _Model | None:
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        reading.faults += [_fault(document, problem) for problem in problems]
        return None


def _fault(document: Document, problem: ErrorDetails) -> Fault:
    """One of pydantic's errors in the catalogue's own words."""
    path = tuple(problem["loc"])
    rule, message = _explain(document, path, problem["type"], problem["msg"])
    return Fault(document.file, rule, message, _entry_name(document, path), document.line_of(path))


def _explain(document: Document, path: tuple[Any, ...], kind: str, said: str) -> tuple[Rule, str]:
    name = ".".join(str(part) for part in path[_ENTRY_DEPTH:]) or ".".join(map(str, path)) or "the file"
    if kind in set(Rule):
        return Rule(kind), said
    if path and path[-1] == "code" and kind == "string_type" and path in document.texts:
        written = document.texts[path]
        return Rule.QUOTED_CODE, f'the code {written} reads as a number: quote it, code: "{written}"'
    if kind == "extra_forbidden":
        return Rule.UNKNOWN_KEY, f"unknown key {name!r}"
    if kind == "missing":
        return Rule.MISSING_KEY, f"the key {name!r} is missing"
    return Rule.WRONG_VALUE, f"{name}: {said[:1].lower()}{said[1:]}"


def _entry_name(document: Document, path: tuple[Any, ...]) -> str | None:
    """The entry's code or slug as written, else its place in the list, counted from 1."""
    if len(path) < _ENTRY_DEPTH:
        return None
    for key in ("code", "slug"):
        if text := document.texts.get((*path[:2], key)):
            return text
    return f"entry {path[1] + 1}" if isinstance(path[1], int) else None
