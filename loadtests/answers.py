"""What is asked, what is answered, and what is expected of an answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where none came; `error` says why then. Times are of the monotonic clock."""

    status: int
    fields: Mapping[str, str]
    body: bytes
    sent_s: float
    ended_s: float
    error: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether Edge could not answer, rather than that it answered wrongly."""
        return self.status == 0 or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_told_to_wait(self) -> bool:
        """Whether Edge was busy or it was too much, and said when to come back."""
        busy = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        return self.status in busy and "retry-after" in self.fields

    @property
    def document(self) -> dict[str, Any]:
        """Give the JSON object of the body; empty where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def __str__(self) -> str:
        if not self.status:
            return self.error
        return f"{self.status} {self.document.get('code', '')}".strip()


# Says what is wrong with an answer; empty where nothing is.
Expected = Callable[[Answer], str]


@dataclass(frozen=True)
class Call:
    """A request, by the name it has in the statistics; `law` is what it is counted under."""

    name: str
    path: str
    expected: Expected
    law: str
    method: str = "GET"
    fields: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


def status(wanted: int, code: str = "") -> Expected:
    """Expect a status, and with it the code of a problem document."""

    def check(answer: Answer) -> str:
        if answer.status == wanted and (not code or answer.document.get("code") == code):
            return ""
        return f"{answer} instead of {wanted} {code}".rstrip()

    return check


def either(*choices: Expected) -> Expected:
    """Expect one of several; says what is wrong by the first."""

    def check(answer: Answer) -> str:
        wrongs = [choice(answer) for choice in choices]
        return wrongs[0] if all(wrongs) else ""

    return check


def told_to_wait(answer: Answer) -> str:
    """Expect 429 or 503 with a time to come back."""
    return "" if answer.is_told_to_wait else f"{answer} without a time to come back"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
