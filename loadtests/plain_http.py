"""Single requests before the run, where it does not matter how long they take."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any

from loadtests.answers import bearer

_TIMEOUT_S = 15


@dataclass(frozen=True)
class Reply:
    status: int
    document: dict[str, Any]
    fields: Mapping[str, str]

    def describe(self) -> str:
        return f"{self.status} {self.document.get('code', '')}".strip()


def ask(
    url: str, *, token: str = "", body: Mapping[str, Any] | None = None, address: str = ""
) -> Reply:
    """Ask once; what is not JSON comes as an empty document.

    Raises:
        OSError: nobody answers there.
    """
    fields = bearer(token) if token else {}
    if address:
        fields["X-Forwarded-For"] = address
    data = None
    if body is not None:
        fields["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, fields)  # noqa: S310  # the operator's own URL
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            return _reply(answer.status, answer.read(), answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error.code, error.read(), error.headers)
    except (OSError, ValueError, HTTPException) as error:  # ValueError: it is no URL
        message = f"nobody answers at {url}: {error}"
        raise OSError(message) from error


def _reply(status: int, body: bytes, headers: Message) -> Reply:
    return Reply(status, _object(body), {name.lower(): text for name, text in headers.items()})


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
