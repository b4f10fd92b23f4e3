"""Bearer tokens: JWT signed with Ed25519 (RFC 8037, RFC 9864), carrying a role and an agency. Access is denied by default."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from shared.problems import Problem
from shared.settings import SettingError

ISSUER = "motcua"
ALGORITHM = "Ed25519"
REMEMBERED = 10_000


class Role(StrEnum):
    """What a token lets its holder do."""

    ADMIN = "admin"
    OFFICER = "officer"
    COUNTER = "counter"
    IMPORTER = "importer"
    INTEGRATOR = "integrator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Without an agency a principal belongs to the whole city."""

    subject: str
    role: Role
    agency: str | None
    unit: str | None
    expires_at: float

    def may_see(self, agency: str) -> bool:
        """Whether this agency's cases are this principal's business."""
        return self.agency is None or self.agency == agency


class TokenError(ValueError):
    """A token that is not accepted; says why without repeating it."""


class Tokens:
    """Verifies tokens with the public key; a verified one is remembered until it expires."""

    def __init__(self, key_file: Path) -> None:
        self._key = read_key(key_file, "MOTCUA_TOKEN_PUBLIC_KEY_FILE")
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER}, exp={"essential": True}, sub={"essential": True}
        )
        self._known: dict[str, Principal] = {}

    def verify(self, token: str) -> Principal:
        """Give the principal of a token.

        Raises:
            TokenError: Signature, issuer, expiry or role are wrong.
        """
        known = self._known.get(token)
        if known is not None and known.expires_at > time.time():
            return known
        principal = self._read(token)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = principal
        return principal

    def _read(self, token: str) -> Principal:
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(claims)
            return Principal(
                str(claims["sub"]), Role(claims["role"]), claims.get("agency"), claims.get("unit"), float(claims["exp"])
            )
        except (JoseError, ValueError, KeyError, TypeError):
            raise TokenError("the token is not valid or has expired") from None


def sign(key_file: Path, role: Role, agency: str | None, unit: str | None, seconds: int, subject: str) -> str:
    """A token signed with the private key of the local stack."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER, "sub": subject, "role": role.value, "iat": now, "exp": now + seconds, "jti": str(uuid7()),
    }  # fmt: skip
    claims |= {name: value for name, value in (("agency", agency), ("unit", unit)) if value}
    return jwt.encode({"alg": ALGORITHM}, claims, read_key(key_file, "the private key"), algorithms=[ALGORITHM])


def read_key(file: Path, setting: str) -> OKPKey:
    """An Ed25519 key from a file with a JWK.

    Raises:
        SettingError: The file is missing or holds no such key.
    """
    try:
        return OKPKey.import_key(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
        raise SettingError(f"{setting}: {file} holds no Ed25519 key as a JWK ({type(error).__name__})") from None


def require(*roles: Role) -> Callable[[Request], Awaitable[Principal]]:
    """A FastAPI dependency: the principal, if its role is one of these (an administrator's always is).

    Raises:
        Problem: 401 without a valid token, 403 with another role.
    """

    async def principal(request: Request) -> Principal:  # a plain function would be run in a thread, request by request
        return admit(request.app.state.tokens, request.headers.get("authorization", ""), roles)

    return principal


def admit(tokens: Tokens, authorization: str, roles: Collection[Role]) -> Principal:
    """The principal of an `Authorization` header, if its role is one of these (an administrator's always is).

    Raises:
        Problem: 401 without a valid token, 403 with another role.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorised("a bearer token is needed")
    try:
        who = tokens.verify(token.strip())
    except TokenError as error:
        raise _unauthorised(str(error)) from None
    if who.role is not Role.ADMIN and who.role not in roles:
        raise Problem(403, "forbidden", "Not allowed", detail=f"needs one of the roles: {', '.join(roles)}")
    return who


def check_agency(who: Principal, agency: str) -> None:
    """403 unless the agency is the principal's own, or the principal is the city's."""
    if not who.may_see(agency):
        raise Problem(403, "forbidden", "Not allowed", detail="the token is of another agency")


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", "Who asks is not known", detail=detail, headers={"WWW-Authenticate": "Bearer"})
