"""How a source proves who it is: the part `authentication` of a mapping. Secrets are never in the file."""

from __future__ import annotations

import string
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.hotline.strict import HeaderName, Strict

Tolerance = Annotated[int, Field(ge=1, le=3600)]
"""How far a sender's clock may be from ours, in seconds; a call that is older is taken for a replay."""

PLACES: Final = frozenset({"body", "body_sha256", "timestamp", "id"})
"""What the pattern of a signed content may name: `{body}`, its SHA-256 in hex, the time-stamp as sent, the message's id."""


class StandardWebhooks(Strict):
    """Standard Webhooks (https://www.standardwebhooks.com): the recommended scheme. A secret is `whsec_` and base64."""

    scheme: Literal["standard_webhooks"]
    tolerance_seconds: Tolerance = 300


class Hmac(Strict):
    """A header with an HMAC of the body, or of a content made by a pattern, such as `v0:{timestamp}:{body}`.

    Twilio signs its own idea of the address: `https://…/v1/hotline/twilio?bodySHA256={body_sha256}`.
    """

    scheme: Literal["hmac"]
    header: HeaderName
    algorithm: Literal["sha256", "sha384", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, StringConstraints(max_length=40)] = ""
    content: Annotated[str, StringConstraints(min_length=6, max_length=1000)] = "{body}"
    timestamp_header: HeaderName | None = None
    timestamp_format: Literal["unix_s", "unix_ms"] = "unix_s"
    id_header: HeaderName | None = None
    tolerance_seconds: Tolerance = 300

    @model_validator(mode="after")
    def _content_is_whole(self) -> Hmac:
        named = _places(self.content)
        places = set(named)
        if len(named) > len(places):
            raise ValueError("content: may name each of its parts once")
        if places - PLACES:
            raise ValueError(f"content: may name only {', '.join(sorted(PLACES))}")
        if not places & {"body", "body_sha256"}:
            raise ValueError("content: must hold {body} or {body_sha256}, or anything could be sent under one signature")
        for header, place in ((self.timestamp_header, "timestamp"), (self.id_header, "id")):
            if (header is not None) != (place in places):
                raise ValueError(f"content: {{{place}}} and {place}_header belong together; what is not signed proves nothing")
        return self


class Bearer(Strict):
    """A secret in a header, for vendors with no better; only over TLS."""

    scheme: Literal["bearer"]
    header: HeaderName = "Authorization"
    prefix: Annotated[str, StringConstraints(max_length=40)] = "Bearer "


class Basic(Strict):
    """HTTP Basic, for vendors with no better; only over TLS. A secret is `user:password`."""

    scheme: Literal["basic"]


Authentication = Annotated[StandardWebhooks | Hmac | Bearer | Basic, Field(discriminator="scheme")]


def _places(pattern: str) -> list[str]:
    """The names in braces. Raises ValueError when braces do not pair or hold more than a name."""
    if "{{" in pattern or "}}" in pattern:
        raise ValueError("content: a brace cannot be part of what is signed")
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        raise ValueError("content: braces must pair") from None
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise ValueError("content: braces hold a name and nothing else")
    return [name for _, name, _, _ in parts if name is not None]
