"""What a mapping makes of samples, told as an integrator reads it: each event, or the field, rule and line that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deploy.hotline.payloads import read_payloads
from shared.hotline.mapping import Mapping
from shared.hotline.reading import MappingError, read_mapping
from shared.hotline.rules import EXPLAINED
from shared.hotline.said import Refused, Said, Understood
from shared.hotline.translate import translate

Told = dict[str, Any]


def check_mapping(file: Path, samples: Iterable[Path]) -> Told:
    """Faults of the mapping by file, line and rule; when it has none, what each sample becomes.

    Raises:
        CommandError: A sample cannot be read, or it is no JSON.
        OSError: The mapping cannot be read.
    """
    told: Told = {"mapping": str(file), "ok": False, "source": None, "faults": [], "samples": []}
    try:
        mapping = read_mapping(file.read_text(encoding="utf-8"), str(file))
    except MappingError as error:
        return told | {"faults": [fault._asdict() for fault in error.faults]}
    except UnicodeDecodeError:
        return told | {"faults": [_fault(file, 1, "encoding", "the file is not UTF-8")]}
    tried = [_sample(mapping, sample) for sample in samples]
    faults = _faults(file, tried)
    return told | {"ok": not faults, "source": mapping.source, "faults": faults, "samples": tried}


def _sample(mapping: Mapping, sample: Path) -> Told:
    payloads = read_payloads(sample, whole=mapping.events is not None)
    structured = mapping.shape == "normalised"
    understood = [each for payload in payloads for each in translate(mapping, payload, structured=structured)]
    return {"file": str(sample), "events": [_event(each) for each in understood]}


def _event(understood: Understood) -> Told:
    if isinstance(understood, Refused):
        wrong = [{"field": each.field, "rule": each.rule, "line": each.line} for each in understood.wrong]
        return {"event_id": understood.event_id, "becomes": "refused", "wrong": wrong}
    return {"event_id": understood.event_id, "occurred_at": understood.occurred_at.isoformat(), **_meaning(understood)}


def _meaning(said: Said) -> Told:
    counted = {} if said.sequence is None else {"sequence": said.sequence, "sequence_scope": said.sequence_scope}
    if said.body is None:
        return {"becomes": "nothing", "reason": said.ignored, **counted}
    return {"becomes": said.body.type, "body": said.body.model_dump(mode="json", exclude_none=True), **counted}


def _fault(file: Path, line: int | None, rule: str, message: str) -> Told:
    return {"file": str(file), "line": line, "rule": rule, "message": message}


def _faults(file: Path, tried: list[Told]) -> list[Told]:
    """What is wrong with samples, by the mapping's line that asked for it."""
    return [
        _fault(file, wrong["line"], wrong["rule"], f"{Path(sample['file']).name}, {wrong['field']}: {_says(wrong['rule'])}")
        for sample in tried
        for event in sample["events"]
        for wrong in event.get("wrong", ())
    ]


def _says(rule: str) -> str:
    """What a rule asks for; its name where that is all that is known."""
    return next((words for known, words in EXPLAINED.items() if known == rule), rule)
