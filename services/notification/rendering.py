"""Messages as text: one template per fact and language; the first line of a template is the subject.

A message states the case's code, status and due date, and how to look it up. It never holds a name, a contact or a document:
templates see nothing but the particulars in the ledger.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notification.domain.ledger import Entry
from services.notification.domain.policy import NOTICES
from shared.calendar import local_date
from shared.catalogue import Catalogue, load_catalogue
from shared.contracts.words import Kind, Origin, Status

LANGUAGES = ("vi", "en")

SIMULATED = "[MÔ PHỎNG / SIMULATED]"
"""The first words of everything that a replay of the past writes."""

BECAUSE = {"vi": ("Mã lý do", "Lý do"), "en": ("Reason code", "Reason")}
"""How a reason is introduced: as a code, and in words."""

REFERENCE = "\ue000"
"""Stands for a case's code while a text is written: a private character that no name, code or template holds."""

KEPT = 1_000
"""Texts that are remembered; what they say differs by agency, date and fact."""

CLOCK_RUNS = (Status.ACCEPTED, Status.IN_PROCESS)

WHAT = {
    "vi": {Kind.DOSSIER: "Hồ sơ", Kind.FEEDBACK: "Phản ánh, kiến nghị"},
    "en": {Kind.DOSSIER: "Dossier", Kind.FEEDBACK: "Feedback"},
}

STATUSES = {
    "vi": {
        Status.REGISTERED: "Mới đăng ký",
        Status.ACCEPTED: "Được tiếp nhận",
        Status.REFUSED: "Không được tiếp nhận",
        Status.IN_PROCESS: "Đang xử lý",
        Status.SUPPLEMENT_REQUESTED: "Yêu cầu bổ sung giấy tờ",
        Status.PAYMENT_REQUESTED: "Yêu cầu thực hiện nghĩa vụ tài chính",
        Status.WITHDRAWAL_REQUESTED: "Công dân yêu cầu rút hồ sơ",
        Status.STOPPED: "Dừng xử lý",
        Status.RESOLVED: "Đã xử lý xong",
        Status.RETURNED: "Đã trả kết quả",
    },
    "en": {
        Status.REGISTERED: "Newly registered",
        Status.ACCEPTED: "Accepted",
        Status.REFUSED: "Acceptance refused",
        Status.IN_PROCESS: "In process",
        Status.SUPPLEMENT_REQUESTED: "Supplement requested",
        Status.PAYMENT_REQUESTED: "Payment requested",
        Status.WITHDRAWAL_REQUESTED: "Withdrawal requested",
        Status.STOPPED: "Stopped",
        Status.RESOLVED: "Processing finished",
        Status.RETURNED: "Result returned",
    },
}
"""The national names of the ten status codes."""


class Renderer:
    """Writes the text of messages.

    `lookup_url` is the public look-up page, with `{code}` where the case's code goes; `agency_names` are shown instead of
    the agencies' identifiers; `catalogue` has the words of reasons.
    """

    def __init__(
        self,
        *,
        lookup_url: str | None = None,
        agency_names: dict[str, str] | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self._lookup_url = lookup_url
        self._agency_names = agency_names or {}
        self._written = lru_cache(KEPT)(self._write)
        self._catalogue = catalogue or load_catalogue()

    def render(self, entry: Entry) -> tuple[str, str]:
        """Subject and text of a message; a simulated one says so in both."""
        stated: dict[str, Any] = json.loads(entry.particulars)
        reference = stated.pop("code") or str(entry.case_id)
        subject, text = self._written(entry.fact, entry.language, entry.kind, entry.agency, entry.origin, tuple(stated.items()))
        return subject.replace(REFERENCE, reference), text.replace(REFERENCE, reference)

    def _write(
        self, fact: str, language: str, kind: str, agency: str, origin: str, stated: tuple[tuple[str, Any], ...]
    ) -> tuple[str, str]:
        """The message with a mark where its case's reference goes, so that it serves all cases of whom the same is said."""
        template = _templates().get_template(f"{NOTICES[fact].template}.{language}.txt")
        subject, _, text = template.render(self._context(language, kind, agency, dict(stated))).partition("\n")
        mark = f"{SIMULATED} " if origin == Origin.REPLAY else ""
        return f"{mark}{subject.strip()}", f"{mark}{text.strip()}\n"

    def _context(self, language: str, kind: str, agency: str, stated: dict[str, Any]) -> dict[str, Any]:
        status = Status(stated["status"])
        return stated | {
            "what": WHAT[language][Kind(kind)],
            "is_feedback": kind == Kind.FEEDBACK,
            "reference": REFERENCE,
            "status": STATUSES[language][status],
            "due_at": stated["due_at"] if status in CLOCK_RUNS else None,
            "agency": self._agency(agency),
            "to_agency": self._agency(stated.get("to_agency")),
            "because": self._because(stated.get("reason"), language),
            "lookup": self._lookup_url.replace("{code}", REFERENCE) if self._lookup_url else None,
        }

    def _because(self, reason: str | None, language: str) -> str | None:
        """The reason in words; a code that the catalogue does not know stays a code, and is called one."""
        if reason is None:
            return None
        known = reason in self._catalogue.reasons
        return f"{BECAUSE[language][known]}: {self._catalogue.words_of(reason, language)}."

    def _agency(self, agency: str | None) -> str | None:
        return None if agency is None else self._agency_names.get(agency, agency)


@cache
def _templates() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=PackageLoader("services.notification"),
        autoescape=False,  # plain text, never HTML
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": _day, "dong": _dong}
    return environment


def _day(at: str) -> str:
    """The local date of an instant, as dd/mm/yyyy."""
    return local_date(datetime.fromisoformat(at)).strftime("%d/%m/%Y")


def _dong(amount: int) -> str:
    """An amount of đồng with dots between the thousands."""
    return f"{amount:,}".replace(",", ".")
