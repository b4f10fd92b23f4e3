"""A filing that tells everything personal, and what surrounds it at a running intake service."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.support.intake import AGENCY, Office

PERSON = {
    "name": "Nguyễn Thị Mẫu", "email": "Mau.Nguyen@example.com", "phone": "+84900000000", "language": "vi",
    "id_number": "031090000000", "address": "12 Lạch Tray, Hải Phòng",
}  # fmt: skip
TEXT = "Xin gọi trước 8 giờ."
BODY: dict[str, Any] = {"agency": AGENCY, "kind": "dossier", "procedure": "1.001806", "channel": "counter"}
FULL = {**BODY, "applicant": PERSON, "note": TEXT, "representative": {"name": "Trần Văn Thay", "document": "giay-uy-quyen"}}
WHY = {"purpose": "handle_case"}


async def file(officer: httpx.AsyncClient, body: dict[str, Any], key: str | None = None) -> str:
    """File a case; its id."""
    answer = await officer.post("/v1/cases", json=body, headers={"Idempotency-Key": key or str(uuid4())})
    assert answer.is_success, answer.text
    return str(answer.json()["case_id"])


async def rows(office: Office, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Rows of intake's database."""
    async with office.app.state.runtime.database.transaction() as tx:
        return [tuple(row) for row in await tx.driver.fetch(statement, *arguments)]
