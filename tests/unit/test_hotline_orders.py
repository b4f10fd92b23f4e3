"""What events of a call centre ask of cases, without servers: when a ticket is filed, and which commands are one and the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.submission import FilingRules
from services.intake.hotline import calls
from services.intake.hotline.arrivals import Arrival, Door
from services.intake.hotline.event import Event
from services.intake.hotline.feedback import make_case
from services.intake.hotline.links import send_commands
from services.intake.hotline.orders import Place
from shared.catalogue import load_catalogue
from shared.contracts.hotline import DossierNamed, EventOutcome, HotlineEvent, TicketOpened
from shared.hotline.said import Said
from shared.security.key_ring import KeyRing
from tests.support.servers import Keys

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
SOURCE, AGENCY, CODE = "trial", "so-demo", "G09.20-20260820-0000001"
TICKET, DOSSIER = Place(UUID(int=1), AGENCY), Place(UUID(int=2), AGENCY)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    made = Keys.make(Path(tmp_path_factory.mktemp("keys")))
    return KeyRing.from_file(made.folder / "key")


@pytest.mark.parametrize(
    ("said", "filed"),
    [
        (NOW - 5 * MINUTE, NOW - 5 * MINUTE),
        (NOW - 6 * MINUTE, NOW),
        (NOW, NOW),
        (NOW + timedelta(microseconds=1), NOW),
        (NOW + 4 * MINUTE, NOW),
    ],
)
def test_a_ticket_is_filed_when_it_was_said_and_never_after_now(keys: KeyRing, said: datetime, filed: datetime) -> None:
    """Its ties are asked for now: a case of a clock that is ahead would be later than they are."""
    ticket = TicketOpened(ticket_id="t-1", content="Cây đổ")
    assert make_case(keys, SOURCE, AGENCY, ticket, said, FilingRules(load_catalogue(), NOW)).filed_at == filed


class Outbox:
    """Takes what is put into it: the ids of commands, and what they are for whom."""

    def __init__(self) -> None:
        self.now = NOW
        self.sent: list[tuple[str, str, str]] = []

    def put(self, _topic: str, subject: str, headers: Any, _body: bytes, _lane: Any) -> None:
        told = {name: value.decode() for name, value in headers}
        self.sent.append((told["ce_id"], told["ce_type"], subject))

    def of(self, place: Place) -> list[tuple[str, str]]:
        return [(command_id, name) for command_id, name, subject in self.sent if subject == str(place.case_id)]


def event(event_id: str, body: HotlineEvent, place: Place | None, dossier: Place | None) -> Event:
    arrival = Arrival(SOURCE, Door.WEBHOOK, (), b"", {}, AGENCY)
    return Event(arrival, event_id, Said(event_id, NOW, body), EventOutcome.ACCEPTED, place=place, dossier=dossier)


def test_an_event_and_a_call_of_one_name_ask_for_two_things_and_a_call_for_one() -> None:
    alone, named = DossierNamed(dossier_code=CODE), DossierNamed(dossier_code=CODE, call_id="same")
    outbox: Any = Outbox()
    send_commands(outbox, [event("same", alone, None, DOSSIER), event("n-1", named, None, DOSSIER)])
    of_event, of_call = outbox.of(DOSSIER)
    assert of_event != of_call

    repeated: Any = Outbox()
    send_commands(repeated, [event("n-2", named, None, DOSSIER)])
    assert repeated.of(DOSSIER) == [of_call]


async def test_a_call_that_ends_and_the_event_that_named_its_dossier_are_one_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: Any = Outbox()
    send_commands(sent, [event("n-1", DossierNamed(dossier_code=CODE, call_id="c-1"), None, DOSSIER)])
    row = {
        "source": SOURCE, "call_id": "c-1", "agency": AGENCY, "began_at": NOW, "answered_at": None, "ended_at": NOW,
        "own_waiting": None, "own_talking": None, "dossier_codes": [CODE],
    }  # fmt: skip
    ended = await _end(monkeypatch, row)
    assert ended.of(DOSSIER) == sent.of(DOSSIER)


async def _end(monkeypatch: pytest.MonkeyPatch, row: dict[str, Any]) -> Any:
    """What is put into the outbox when a call is stated."""
    outbox: Any = Outbox()

    async def found(*_: object) -> dict[str, Place]:
        return {CODE: DOSSIER}

    async def allotted(*_: object) -> dict[str, Any]:
        return {SOURCE: iter([1])}

    async def rows(*_: object) -> list[Any]:
        return [row]

    class Opened:
        async def __aenter__(self) -> Any:
            return outbox

        async def __aexit__(self, *_: object) -> None:
            pass

    outbox.tx = SimpleNamespace(driver=SimpleNamespace(fetch=rows, execute=rows))
    outbox.emit_agency = lambda *_args, **_more: None
    monkeypatch.setattr(calls, "find_dossiers", found)
    monkeypatch.setattr(calls, "allot", allotted)
    store: Any = SimpleNamespace(open=lambda _: Opened())
    assert await calls.state_ended(store, timedelta()) == 1
    return outbox


@pytest.mark.parametrize(
    "body", [TicketOpened(ticket_id="t-1", dossier_code=CODE), DossierNamed(dossier_code=CODE, ticket_id="t")]
)
def test_a_ticket_that_names_its_own_case_is_tied_to_nothing(body: HotlineEvent) -> None:
    outbox: Any = Outbox()
    send_commands(outbox, [event("e-1", body, TICKET, Place(TICKET.case_id, "another-agency"))])
    assert outbox.sent == []
    send_commands(outbox, [event("e-1", body, TICKET, DOSSIER)])
    assert [name for _, name, _ in outbox.sent] == ["record_contact", "link"]
