"""Settings of the notification service: environment variables `MOTCUA_*`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, ValidationInfo, field_validator

from shared.settings import ServiceSettings

SMTP_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. With `tls` the connection begins encrypted; without, STARTTLS is used where it is offered."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:port`; `smtps` for TLS from the first byte.

    Raises:
        ValueError: It is no such address; the text never repeats it, for it may hold a password.
    """
    rule = "must be smtp://[user:password@]host[:port] or smtps://…"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(rule) from None
    if parts.scheme not in SMTP_PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(rule)
    username, password = parts.username, parts.password
    return SmtpServer(
        host,
        port or SMTP_PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        username=unquote(username) if username else None,
        password=unquote(password) if password else None,
    )


class NotificationSettings(ServiceSettings):
    """What the notification service needs beside the common settings."""

    port: int = Field(8003, validation_alias="MOTCUA_NOTIFICATION_PORT", ge=1, le=65535, description="port of HTTP")
    notification_file: Path | None = Field(None, description="file that the file channel appends messages to, one JSON line each")
    contact_wait_seconds: PositiveFloat = Field(600.0, description="how long a message waits for the applicant's contact")
    lookup_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="public look-up page in messages, with {code} for the case's code"
    )
    agency_names: dict[str, str] = Field(default_factory=dict, description="names of agencies in messages, as a JSON object")
    smtp_url: SecretStr | None = Field(None, description="mail server, smtp://user:password@host:port or smtps://…")
    smtp_from: str = Field("", validate_default=True, description="sender of e-mails, needed with MOTCUA_SMTP_URL")
    smtp_timeout: PositiveFloat = Field(10.0, le=15, description="longest wait for the mail server's answer, in seconds")
    smtp_attempts: PositiveInt = Field(12, description="how often an e-mail is tried before its channel counts as failed")

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or not url.get_secret_value():
            return None
        parse_smtp_url(url.get_secret_value())
        return url

    @field_validator("notification_file", "lookup_url", mode="before")
    @classmethod
    def _empty_means_none(cls, value: object) -> object:
        return value or None

    @field_validator("smtp_from")
    @classmethod
    def _check_smtp_from(cls, sender: str, info: ValidationInfo) -> str:
        local, _, domain = sender.rpartition("@")
        if sender and not (local and "." in domain.strip(".") and sender.isprintable() and " " not in sender):
            raise ValueError("must be an e-mail address")
        if not sender and info.data.get("smtp_url") is not None:
            raise ValueError("is needed with MOTCUA_SMTP_URL")
        return sender

    @cached_property
    def smtp_server(self) -> SmtpServer | None:
        """The mail server, where one is configured."""
        return None if self.smtp_url is None else parse_smtp_url(self.smtp_url.get_secret_value())
