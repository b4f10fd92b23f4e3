"""What names and words of vendors usually mean, in English and in Vietnamese without accents; drafts are corrected by people."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from shared.hotline.blocks import EventKind

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "id": ("eventid", "messageid", "notificationid", "msgid", "masukien", "id", "uuid", "guid"),
    "time": (
        "occurredat", "eventtime", "timestampms", "timestamp", "eventat", "time", "at", "thoigian", "thoidiem", "ngaygio",
        "createdat", "updatedat", "datetime", "date", "createdtime", "ngaytao",
    ),
    "kind": (
        "eventtype", "eventname", "event", "callstatus", "sukien", "loaisukien", "type", "action", "status", "state", "trangthai",
    ),
    "sequence": ("sequence", "sequencenumber", "seq", "seqno", "sothutu", "stt"),
    "call_id": ("callid", "callsid", "calluuid", "linkedid", "macuocgoi", "uniqueid", "sessionid"),
    "state": ("callstatus", "callstate", "status", "state", "eventtype", "event", "type", "trangthai"),
    "waiting_seconds": ("waittime", "waitingtime", "waitseconds", "holdtime", "queuetime", "thoigiancho"),
    "talking_seconds": ("talktime", "talkingtime", "talkseconds", "billsec", "answerduration", "thoigiannoi"),
    "ticket_id": (
        "ticketid", "ticketcode", "ticketno", "ticketnumber", "ticket", "maphieu", "maphananh", "complaintid", "caseno", "caseid",
        "requestid", "servicerequestid", "code",
    ),
    "content": ("content", "noidung", "noidungphananh", "description", "mota", "body", "text", "message", "note", "ghichu"),
    "classification": ("classification", "class", "phanloai", "loaiphananh", "ticketclass"),
    "matter": ("field", "linhvuc", "category", "chude", "topic", "servicecode", "department"),
    "same_matter": ("parentcode", "parentid", "parent", "parentticket", "maphieucha", "relatedto"),
    "name": ("fullname", "callername", "citizenname", "customername", "hoten", "tennguoidan", "tenkhachhang", "name", "ten"),
    "phone": (
        "phone", "phonenumber", "callerphone", "callernumber", "mobile", "msisdn", "sodienthoai", "dienthoai", "sdt", "from",
        "caller", "calleridnum", "sogoi",
    ),
    "email": ("email", "mail", "thudientu"),
    "address": ("address", "diachi", "calleraddress"),
    "dossier_code": ("dossiercode", "mahoso", "sohoso", "dossier", "applicationcode"),
    "score": ("score", "stars", "rating", "rate", "diem", "diemhailong", "satisfaction", "csat"),
}  # fmt: skip
"""Per field the names by which vendors call it, most telling first; letters and digits only."""

_KINDS: Final = (
    (EventKind.REOPENED, r"re.?open|mo.?lai"),
    (EventKind.RATED, r"rat(?:ed|ing)|survey|csat|satisf|danh.?gia|hai.?long"),
    (EventKind.CALL, r"ring|answer|queue|hang.?up|abandon|ended|call|goi|nhac.?may|bat.?may"),
    (EventKind.TICKET, r"(?:ticket|phieu|complaint|phan.?anh|case|request).*(?:creat|open|new|tao|moi|tiep.?nhan)"),
    (EventKind.TICKET, r"^(?:ticket|open|opened|new|created|moi)$"),
)  # fmt: skip
_STATES: Final = (
    ("abandoned", r"abandon|miss|no.?answer|nho|bo.?cuoc"),
    ("answered", r"answer|connect|accept|bat.?may|tra.?loi|in.?progress"),
    ("ended", r"end|hang|complet|finish|disconnect|ket.?thuc|gac.?may"),
    ("queued", r"queue|wait|start|enqueue|cho"),
    ("ringing", r"ring|alert|do.?chuong"),
    ("created", r"creat|init|new|incoming|goi.?den"),
)  # fmt: skip


ANY_ID: Final = frozenset({"id", "uuid", "guid"})
"""Names of an id that say nothing of what it is the id of."""

WRAPPERS: Final = frozenset({"data", "payload", "event", "message", "header", "meta", "envelope"})
"""Objects that hold an event, and are no part of it."""


def names_of(expression: str) -> list[str]:
    """How a place may be called: by its last name, and by the last two (`ticket.id` is a ticket's id)."""
    steps = [plain(step) for step in expression.split(".")]
    return [steps[-1], "".join(steps[-2:])] if steps[-2:-1] else steps


def is_any_id_inside(expression: str) -> bool:
    """Whether it is the bare id of something inside an event."""
    *outer, last = map(plain, expression.split("."))
    return last in ANY_ID and bool(outer) and outer[-1] not in WRAPPERS


def plain(name: str) -> str:
    """Letters without accents and digits only, small: `Số điện thoại` → `sodienthoai`."""
    decomposed = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]", "", decomposed)


def kind_of(word: str) -> EventKind | None:
    """What a vendor's word for an event probably means."""
    return next((kind for kind, pattern in _KINDS if re.search(pattern, _folded(word))), None)


def state_of(word: str) -> str | None:
    """What a vendor's word for a state of a call probably means."""
    return next((state for state, pattern in _STATES if re.search(pattern, _folded(word))), None)


def _folded(word: str) -> str:
    return unicodedata.normalize("NFD", word.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
