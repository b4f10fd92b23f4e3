"""The mail server's address and the other settings: a wrong value is refused by name, and no password is repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.notification.channels import make_channels
from services.notification.settings import NotificationSettings, SmtpServer, parse_smtp_url
from shared.settings import explain

NEEDED = {
    "MOTCUA_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "MOTCUA_POSTGRES_URL": "postgresql://u:p@127.0.0.1/postgres",
    "MOTCUA_TOKEN_PUBLIC_KEY_FILE": "token-public.json",
    "MOTCUA_PRIVATE_KEY_FILE": "private-key",
}


Load = Callable[..., NotificationSettings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    def load(**settings: str) -> NotificationSettings:
        for name, value in (NEEDED | {f"MOTCUA_{name.upper()}": value for name, value in settings.items()}).items():
            monkeypatch.setenv(name, value)
        return NotificationSettings()

    return load


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.vn", SmtpServer("mail.example.vn", 25)),
        ("smtp://mail.example.vn:2525/", SmtpServer("mail.example.vn", 2525)),
        ("smtps://u%40x:p%3Aw@mail.example.vn", SmtpServer("mail.example.vn", 465, True, "u@x", "p:w")),
        ("smtp://[::1]:1025", SmtpServer("::1", 1025)),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    ["mail.example.vn", "http://mail.example.vn", "smtp://", "smtp://h:99999", "smtp://h:x", "smtp://h/path", "smtp://h?tls=1"],
)
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be smtp://"):
        parse_smtp_url(url)


def test_a_wrong_mail_server_is_named_and_its_password_is_not_shown(load: Load) -> None:
    with pytest.raises(ValidationError) as caught:
        load(smtp_url="smtp://user:top-secret@host:port", smtp_from="a@b.vn")
    lines = explain(caught.value, NotificationSettings)
    assert len(lines) == 1
    assert lines[0].startswith("setting MOTCUA_SMTP_URL")
    assert "top-secret" not in lines[0] + str(caught.value)


def test_a_mail_server_needs_a_sender(load: Load) -> None:
    with pytest.raises(ValidationError) as caught:
        load(smtp_url="smtp://host")
    assert explain(caught.value, NotificationSettings) == [
        "setting MOTCUA_SMTP_FROM (sender of e-mails, needed with MOTCUA_SMTP_URL): Value error, is needed with MOTCUA_SMTP_URL"
    ]


@pytest.mark.parametrize("sender", ["nobody", "a@b", "a b@c.vn", "a@b.vn\nBcc: x@y.vn"])
def test_a_sender_must_be_an_address(load: Load, sender: str) -> None:
    with pytest.raises(ValidationError, match="must be an e-mail address"):
        load(smtp_url="smtp://host", smtp_from=sender)


def test_the_password_is_not_in_the_settings_text(load: Load) -> None:
    settings = load(smtp_url="smtp://user:top-secret@host", smtp_from="a@b.vn")
    assert "top-secret" not in repr(settings) + repr(settings.smtp_server)


def test_the_channels_are_those_that_are_configured_in_the_order_of_wish(load: Load, tmp_path: Path) -> None:
    assert make_channels(load(smtp_url="", notification_file="")) == []
    both = make_channels(load(smtp_url="smtp://host", smtp_from="a@b.vn", notification_file=str(tmp_path / "m")))
    assert [channel.way.name for channel in both] == ["email", "file"]


def test_a_port_that_is_no_number_is_refused_by_its_name(load: Load) -> None:
    with pytest.raises(ValidationError) as caught:
        load(notification_port="abc")
    assert explain(caught.value, NotificationSettings)[0].startswith("setting MOTCUA_NOTIFICATION_PORT")
