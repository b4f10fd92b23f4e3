"""Answers to HTTP commands, kept to answer the same again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from services.processing.tables import AnswerRow
from shared.persistence.bulk import insert_new
from shared.persistence.database import Tx


async def find_answer(tx: Tx, source: str, key: str) -> tuple[str, str] | None:
    """The content and the answer of an earlier command with this key."""
    found = select(col(AnswerRow.content), col(AnswerRow.answer)).where(
        col(AnswerRow.source) == source, col(AnswerRow.key) == key
    )
    row = (await tx.connection.execute(found)).one_or_none()
    return (row[0], row[1]) if row else None


async def keep_answer(tx: Tx, source: str, key: str, content: str, answer: str) -> bool:
    """Keep an answer; False when the key was used meanwhile, on another case."""
    row = (source, key, content, answer, tx.now)
    columns = ("source", "key", "content", "answer", "answered_at")
    return bool(await insert_new(tx, AnswerRow, [row], columns, ("key",)))


async def forget_answers(tx: Tx, answered_by: datetime) -> None:
    """Drop answers that are this old."""
    await tx.connection.execute(delete(AnswerRow).where(col(AnswerRow.answered_at) <= answered_by))
