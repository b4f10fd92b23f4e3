"""The catalogue's checks: each file by itself, then the files against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.catalogue.faults import Fault, Rule
from shared.catalogue.models import Field, FieldFile, Matter, MatterFile, Procedure, ProcedureFile
from shared.catalogue.reading import Document, read_document
from shared.catalogue.reasons import Reason, ReasonFile

PACKAGED: Final = Path(__file__).parent
_FIELDS_FILE: Final = "fields.yaml"
_REASONS_FILE: Final = "reasons.yaml"
_MATTERS_FILE: Final = "matters.yaml"
_ENTRY_DEPTH: Final = 2  # the name of the list and the index in it
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(slots=True)
class Shelf:
    """Procedures by code, and each one's field."""

    procedures: dict[str, Procedure] = field(default_factory=dict)
    field_of: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """What the files hold: fields, matters, reasons and procedures by key, an agency's own apart, and every fault met."""

    fields: dict[str, Field] = field(default_factory=dict)
    matters: dict[str, Matter] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    common: Shelf = field(default_factory=Shelf)
    own: dict[str, Shelf] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    places: dict[tuple[str, ...], tuple[str, int | None]] = field(default_factory=dict)


def files_of(folder: Path) -> list[Path]:
    """A catalogue folder's files: those of fields, reasons and matters where it has them, then `procedures/*.yaml` by name.

    Of a folder without any, the first: it cannot be read, and reading it says so.
    """
    found = [path for path in (folder / _FIELDS_FILE, folder / _REASONS_FILE, folder / _MATTERS_FILE) if path.exists()]
    return [*found, *sorted((folder / "procedures").glob("*.yaml"))] or [folder / _FIELDS_FILE]


def check_files(paths: Sequence[Path] | None = None) -> list[Fault]:
    """Every fault of these files and folders (of the packaged catalogue when None), in the order of files and lines.

    A file of procedures may use the packaged fields and those of a fields file given with it. A folder is an agency's
    catalogue and is held against the packaged one, too: what both have is a fault, unless its files name an agency.
    """
    if paths is None:
        return read_files(files_of(PACKAGED)).faults
    if any(path.is_dir() and path.resolve() != PACKAGED for path in paths):
        return read_files(expand([PACKAGED, *paths])).faults
    return read_files(expand(paths), known=read_files([PACKAGED / _FIELDS_FILE]).fields).faults


def expand(paths: Sequence[Path]) -> list[Path]:
    """The files, and those of the folders, each once."""
    folders = (PACKAGED if path.resolve() == PACKAGED else path for path in paths)
    return list(dict.fromkeys(file for path in folders for file in (files_of(path) if path.is_dir() else [path])))


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
        elif isinstance(document.values, dict) and "reasons" in document.values:
            _take_reasons(reading, document)
        elif isinstance(document.values, dict) and "matters" in document.values:
            _take_matters(reading, document)
        else:
            documents.append(document)
    fields = {**(known or {}), **reading.fields}
    for document in documents:
        _take_procedures(reading, document, fields)
    for shelf in (reading.common, *reading.own.values()):
        _check_successors(reading, shelf)
    order = {str(path): index for index, path in enumerate(paths)}
    reading.faults.sort(key=lambda fault: (order[fault.file], fault.line or 0))
    return reading


def _take_fields(reading: Reading, document: Document) -> None:
    content = _validate(reading, document, FieldFile)
    _check_repeats(reading, document, ("fields", "slug"))
    reading.fields |= {entry.slug: entry for entry in (content.fields if content else ())}


def _take_reasons(reading: Reading, document: Document) -> None:
    content = _validate(reading, document, ReasonFile)
    _check_repeats(reading, document, ("reasons", "code"))
    reading.reasons |= {entry.code: entry for entry in (content.reasons if content else ())}


def _take_matters(reading: Reading, document: Document) -> None:
    content = _validate(reading, document, MatterFile)
    _check_repeats(reading, document, ("matters", "slug"))
    reading.matters |= {entry.slug: entry for entry in (content.matters if content else ())}


def _take_procedures(reading: Reading, document: Document, fields: dict[str, Field]) -> None:
    content = _validate(reading, document, ProcedureFile)
    _check_repeats(reading, document, ("procedures", "code"))
    slug = document.texts.get(("field",))
    if slug is not None and slug not in fields:
        message = f"unknown field {slug!r}; known are {', '.join(sorted(fields))}"
        line = document.line_of(("field",))
        reading.faults.append(Fault(document.file, Rule.KNOWN_FIELD, message, line=line))
    if content is not None:
        shelf = reading.own.setdefault(content.agency, Shelf()) if content.agency else reading.common
        shelf.procedures |= {entry.code: entry for entry in content.procedures}
        shelf.field_of |= {entry.code: content.field for entry in content.procedures}


def _owner(document: Document) -> str:
    """The agency whose own the procedures are; empty for everybody's."""
    named = document.values.get("agency") if isinstance(document.values, dict) else None
    return named if isinstance(named, str) else ""


def _check_repeats(reading: Reading, document: Document, where: tuple[str, str]) -> None:
    """Each key once in all files, by the text as written, so that other faults of the entry hide nothing.

    Procedures of an agency's own are counted apart.
    """
    section, word = where
    owner = _owner(document)
    for path, key in document.texts.items():
        if len(path) != _ENTRY_DEPTH + 1 or (path[0], path[-1]) != where:
            continue
        line = document.line_of(path)
        place, line_of_first = reading.places.setdefault((section, owner, key), (document.file, line))
        if (place, line_of_first) != (document.file, line):
            message = f"the {word} is already in {place}:{line_of_first}; a {word} may stand once"
            reading.faults.append(Fault(document.file, Rule.DUPLICATE_CODE, message, entry=key, line=line))


def _check_successors(reading: Reading, shelf: Shelf) -> None:
    """A code is not replaced by itself, however long the way."""
    for code, procedure in shelf.procedures.items():
        way, successor = [code], procedure.replaced_by
        while successor is not None and successor not in way:
            way.append(successor)
            follower = shelf.procedures.get(successor)
            successor = follower.replaced_by if follower else None
        if successor == code:
            owner = next((agency for agency, own in reading.own.items() if own is shelf), "")
            file, line = reading.places["procedures", owner, code]
            message = f"the code is replaced by itself: {' -> '.join([*way, code])}"
            reading.faults.append(Fault(file, Rule.REPLACED_BY_ANOTHER, message, entry=code, line=line))


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
