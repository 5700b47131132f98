"""Edge and what is used instead of it do the same, or comparing their speed would say nothing."""

import base64
import http.client
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from benchmarks.cases.server import EDGE
from benchmarks.cases.server_peers import GRANIAN, TEXTBOOK_APP, UVICORN
from benchmarks.peers.agreed import APP, SECURITY_FIELDS
from benchmarks.programs.asking import FROM_PAGE
from benchmarks.programs.program import MissingProgramError
from benchmarks.programs.served import Served
from tests.support.requirements import missing

SUBJECTS = {"edge": EDGE, "uvicorn": UVICORN, "granian": GRANIAN, "textbook": TEXTBOOK_APP}


class Answer(msgspec.Struct, frozen=True):
    """What came back; names of fields in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes


@pytest.fixture(scope="module", params=SUBJECTS, ids=str)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    try:
        with SUBJECTS[request.param].use() as found:
            yield found
    except MissingProgramError as error:
        missing(error.name, error.install)


def _ask(
    served: Served, path: str, authorization: str = "", method: str = "GET", **fields: str
) -> Answer:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    of_caller = {"Authorization": authorization} if authorization else {}
    connection = http.client.HTTPConnection("127.0.0.1", served.running.port, timeout=10)
    connection.request(method, path, headers={**FROM_PAGE, **of_caller, **named})
    answer = connection.getresponse()
    body = answer.read()
    found = {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return Answer(answer.status, found, body)


def _bearer(token: str) -> str:
    return f"Bearer {token}"


def _has_common_fields(answer: Answer) -> bool:
    """Say whether it carries the security headers, and may be read by the app's pages."""
    assert {name: answer.fields.get(name) for name in SECURITY_FIELDS} == SECURITY_FIELDS
    return answer.fields["access-control-allow-origin"] == APP


def test_an_admin_is_let_in_and_told_who_they_are(served: Served) -> None:
    """200, with the same document."""
    answer = _ask(served, "/admin-area", _bearer(served.admin_tokens[0]))
    assert answer.status == 200
    assert _has_common_fields(answer)
    welcome = msgspec.json.decode(answer.body)
    assert welcome["let_in_by"] == "the role admin"
    assert welcome["roles"] == ["admin", "moderator"]
    assert welcome["scopes"] == ["profile"]
    assert len(welcome["subject"]) == 36


def test_who_lacks_the_role_is_refused(served: Served) -> None:
    """403."""
    answer = _ask(served, "/admin-area", _bearer(served.user_tokens[0]))
    assert answer.status == 403
    assert _has_common_fields(answer)


def _spoilt(served: Served) -> dict[str, str]:
    good, other = served.admin_tokens[:2]
    header, payload, _ = good.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    return {
        "with another's signature": ".".join((header, payload, other.rpartition(".")[2])),
        "cut off": good[:-4],
        "without a signature": f"{header}.{payload}.",
        "that need none": f"{unsigned}.{payload}.",
        "of two parts": f"{header}.{payload}",
        "that are no tokens": "x",
        **served.bad_tokens,
    }


def test_bad_tokens_are_refused_with_a_challenge(served: Served) -> None:
    """401, whatever is wrong with them."""
    spoilt = _spoilt(served)
    assert {"expired", "for others", "of others", "of another type"} <= spoilt.keys()
    answers = {why: _ask(served, "/admin-area", _bearer(token)) for why, token in spoilt.items()}
    assert {why: answer.status for why, answer in answers.items()} == dict.fromkeys(spoilt, 401)
    for answer in answers.values():
        assert answer.fields["www-authenticate"].startswith("Bearer")
        assert _has_common_fields(answer)


@pytest.mark.parametrize("authorization", ["", "Basic dTpw"])
def test_who_brings_no_token_is_refused_with_a_challenge(
    served: Served, authorization: str
) -> None:
    """401."""
    answer = _ask(served, "/admin-area", authorization)
    assert answer.status == 401
    assert answer.fields["www-authenticate"].startswith("Bearer")


def test_the_second_request_of_a_day_is_too_many(served: Served) -> None:
    """429, with when to come again."""
    asked = ("/moderator-area", _bearer(served.admin_tokens[0]))
    _ask(served, *asked)
    answer = _ask(served, *asked)
    assert answer.status == 429
    assert 0 < int(answer.fields["retry-after"]) <= 2 * 86_400
    assert _has_common_fields(answer)


def test_a_page_of_the_app_may_ask_and_no_other(served: Served) -> None:
    """Preflights say so."""
    asked = {"Access_Control_Request_Method": "GET"}
    answer = _ask(served, "/admin-area", method="OPTIONS", **asked)
    assert answer.status in (200, 204)
    assert answer.fields["access-control-allow-origin"] == APP
    assert "GET" in answer.fields["access-control-allow-methods"]
    other = _ask(served, "/admin-area", method="OPTIONS", Origin="https://evil.test", **asked)
    assert other.status >= 400
    assert "access-control-allow-origin" not in other.fields


def test_what_is_not_there_carries_the_same_fields(served: Served) -> None:
    """404."""
    answer = _ask(served, "/nowhere", _bearer(served.admin_tokens[0]))
    assert answer.status == 404
    assert _has_common_fields(answer)
