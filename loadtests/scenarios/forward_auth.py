"""A load balancer asks Edge about each request: through a real nginx, and as nginx would ask.

Edge needs the rules of `loadtests/trust.py`, and nginx the file of `deploy/nginx`. The service
behind nginx answers with what it was told of who is asking.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import quote

from loadtests.answers import Answer, Call, Expected, bearer, status
from loadtests.floor import Floor
from loadtests.session import Session
from loadtests.trust import PREFIX
from loadtests.users import TokenUser

__all__ = ["Direct", "Floor", "ThroughNginx"]

_LAW: Final = "forward_auth: the rules hold, and the service is told who asks"


@dataclass(frozen=True)
class Case:
    """A request, and what its client has to get: a status, and the code where it is refused.

    With `spoofs`, it says itself who it is, in a field that only Edge may write.
    """

    path: str
    status: int
    code: str = ""
    has_token: bool = True
    spoofs: bool = False


# With how many of a hundred each has.
CASES: Final = {
    Case("/orders/7", 200): 75,
    Case("/open/1", 200, has_token=False): 10,
    Case("/orders/7", 401, "credentials_missing", has_token=False): 5,
    Case("/staff/1", 403, "role_missing"): 5,
    Case("/orders/7", 400, "identity_field_sent", spoofs=True): 3,
    Case("/orders//7", 400, "path_ambiguous"): 2,
}


class _Asking(TokenUser):
    abstract = True

    def arrival(self, due_s: float) -> None:
        [case] = self.chance.choices(list(CASES), list(CASES.values()))
        token = next(self.tokens)
        fields = bearer(token.text) if case.has_token else {}
        if case.spoofs:
            fields["X-Auth-Subject"] = "root"
        subject = quote(f"{PREFIX}:{token.subject}") if case.has_token else ""
        self.ask(self.call(case, fields, subject), due_s)

    def call(self, case: Case, fields: dict[str, str], subject: str) -> Call:
        """Give what to ask, and what has to come: where it is let through, with this subject."""
        raise NotImplementedError


class Direct(_Asking):
    name = "direct"

    def call(self, case: Case, fields: dict[str, str], subject: str) -> Call:
        asked = {"X-Original-Method": "GET", "X-Original-URL": f"http://shop.test{case.path}"}
        expected = _as_nginx_is_told(case, subject)
        return Call(self.name, "/forward/nginx", expected, _LAW, fields={**fields, **asked})


class ThroughNginx(_Asking):
    name = "nginx"
    url: ClassVar[str]

    @classmethod
    def prepare(cls, session: Session) -> None:
        super().prepare(session)
        cls.url = session.options.nginx_url.rstrip("/")
        if not cls.url:
            message = "no LOADTEST_NGINX_URL; name Direct and Floor to do without"
            raise ValueError(message)

    def call(self, case: Case, fields: dict[str, str], subject: str) -> Call:
        expected = _as_client_is_told(case, subject)
        return Call(self.name, self.url + case.path, expected, _LAW, fields=fields)


def _as_nginx_is_told(case: Case, subject: str) -> Expected:
    """It understands 200, 401 and 403 only; the rest is in fields (docs/forward-auth.md)."""
    wanted = case.status if case.status in (200, 401) else 403

    def check(answer: Answer) -> str:
        if answer.status != wanted:
            return f"{answer} instead of {wanted}"
        if case.status == HTTPStatus.OK:
            told = answer.fields.get("x-auth-subject", "")
            return "" if told == subject else f"the subject is {told!r} instead of {subject!r}"
        found = answer.fields.get("x-edge-status"), _code(answer)
        right = str(case.status), case.code
        return "" if found == right else f"{found} instead of {right}"

    return check


def _as_client_is_told(case: Case, subject: str) -> Expected:
    refused = status(case.status, case.code)

    def check(answer: Answer) -> str:
        wrong = refused(answer)
        if not wrong and case.status == HTTPStatus.OK and subject.encode() not in answer.body:
            return f"the service was not told of {subject}"
        return wrong

    return check


def _code(answer: Answer) -> str:
    try:
        return str(json.loads(answer.fields.get("x-edge-problem", ""))["code"])
    except (ValueError, KeyError):
        return ""
