"""The articles of law that the clock rests on, as they are cited to officers and inspectors.

Decree 61/2018/NĐ-CP was replaced by Decree 118/2025/NĐ-CP on 1 July 2025. Its articles are cited for facts after that day,
too, with a remark: the newer decree's own numbers have not been read.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from services.processing.domain.wording import Text
from shared.calendar import local_date
from shared.contracts.words import Kind

REPLACED_ON: Final = date(2025, 7, 1)

FEEDBACK_LIMITED_ON: Final = date(2022, 6, 23)

FEEDBACK: Final = Text("Nghị định 20/2008/NĐ-CP", "Decree 20/2008/NĐ-CP")
DAYS_OFF: Final = Text("Bộ luật Lao động 2019, Điều 111.3, 112", "Labour Code 2019, art. 111.3, 112")
TIME_USED: Final = Text("Quyết định 766/QĐ-TTg", "Decision 766/QĐ-TTg")
"""Handling time is counted without the time that a supplement took."""


def feedback_limit(when: datetime) -> Text:
    """What sets the limits of feedback accepted at a moment; the decree alone has none for the answer."""
    if local_date(when) < FEEDBACK_LIMITED_ON:
        return FEEDBACK
    return Text("Quyết định 766/QĐ-TTg, mục 5.2", "Decision 766/QĐ-TTg, 5.2")


def civil(articles: str) -> Text:
    """The Civil Code 2015 on periods.

    147.1: one in hours starts at its fixed moment. 147.2: the day of the event is not counted. 148.5: a last day off moves the
    end to the next working day. 148.6: a period ends at 24:00 of its last day.
    """
    return Text(f"Bộ luật Dân sự 2015, Điều {articles}", f"Civil Code 2015, art. {articles}")


def decree(articles: str, kind: Kind, when: datetime) -> Text | None:
    """Decree 61/2018/NĐ-CP on the one-stop mechanism, for a fact of that moment; it is a law about dossiers only."""
    if kind is not Kind.DOSSIER:
        return None
    if local_date(when) < REPLACED_ON:
        return Text(f"Nghị định 61/2018/NĐ-CP, Điều {articles}", f"Decree 61/2018/NĐ-CP, art. {articles}")
    return Text(
        f"Nghị định 61/2018/NĐ-CP, Điều {articles} (từ 01/07/2025: Nghị định 118/2025/NĐ-CP)",
        f"Decree 61/2018/NĐ-CP, art. {articles} (since 1 July 2025: Decree 118/2025/NĐ-CP)",
    )


def withdrawal(kind: Kind, when: datetime) -> Text | None:
    """The citizen's right to stop a dossier: written law since July 2025 only."""
    if kind is not Kind.DOSSIER or local_date(when) < REPLACED_ON:
        return None
    return Text("Nghị định 118/2025/NĐ-CP, Điều 21.1", "Decree 118/2025/NĐ-CP, art. 21.1")
