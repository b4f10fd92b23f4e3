"""Asks the running services over HTTP, as the local stack's administrator of the city."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.cli.output import refuse, wrong_usage
from deploy.errors import CommandError
from deploy.local.environment import running_environment, service_url
from deploy.local.keys import PRIVATE_TOKEN_KEY
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.security.tokens import Role, sign

SECONDS = 30.0
TOKEN_SECONDS = 300
TRIES, RETRY_SECONDS = 5, 2.0


class SilentError(CommandError):
    """A service does not answer."""


@dataclass(slots=True)
class Stack:
    """The services of the stack that was last started here.

    Raises:
        StackError: Nothing was started here.
    """

    subject: str
    environment: dict[str, str] = field(default_factory=running_environment)

    def ask(
        self,
        service: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        method: str | None = None,
        file: bytes | None = None,
    ) -> dict[str, Any] | None:
        """The answer of a service to GET, or to POST where there is a body; None when it does not know what is asked for.

        `file` is a body of comma-separated values.

        Raises:
            SilentError: The service does not answer.
            CommandError: It says no: with its reason.
        """
        url = service_url(service, self.environment)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        headers = {"Authorization": f"Bearer {self._token()}"}
        method = method or ("GET" if body is None else "POST")
        content: dict[str, Any] = {"json": body} if file is None else {"content": file}
        if file is not None:
            headers["Content-Type"] = "text/csv"
        try:
            answer = _ask(method, f"{url}{path}", params=given, headers=headers, timeout=SECONDS, **content)
        except httpx.HTTPError as error:
            message = f"the {service} service does not answer at {url} ({type(error).__name__}): run `motcua status`"
            raise SilentError(message) from None
        if answer.is_success:
            answered: dict[str, Any] = answer.json()
            return answered
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        message = f"the {service} service says: {reason_of(answer)}"
        return wrong_usage(message) if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY else refuse(message)

    def _token(self) -> str:
        keys = StateFolder(load_settings().state_dir).keys
        return sign(keys / PRIVATE_TOKEN_KEY, Role.ADMIN, None, None, TOKEN_SECONDS, self.subject)


def _ask(method: str, url: str, **content: Any) -> httpx.Response:
    """Ask again while the service says that it cannot answer now; whatever is asked here may be asked twice."""
    for _ in range(TRIES):
        answer = httpx.request(method, url, **content)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(RETRY_SECONDS)
    return answer


def reason_of(answer: httpx.Response) -> str:
    """What a problem document says, in one line."""
    try:
        problem = answer.json()
        faults = [f"{fault['pointer'].rpartition('/')[2] or 'body'}: {fault['rule']}" for fault in problem.get("errors", ())]
        return "; ".join(faults) or f"{problem['title']}: {problem.get('detail', answer.status_code)}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {answer.status_code}"
