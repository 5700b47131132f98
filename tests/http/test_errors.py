"""Bad requests get a clear answer: a problem document with a code, never a 500."""

import asyncio

import msgspec
import pytest

from edge.settings import Settings
from tests.support.app import RunningApp, running_service

JSON = "application/json"
GOOD = b'{"username": "user", "password": "wrong wrong wrong"}'


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        (JSON, b"[" * 10_000 + b"]" * 10_000, 400, "json_too_deep"),
        (JSON, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "json_too_deep"),
        (JSON, b'{"username": "\xff\xfe", "password": "x"}', 400, "json_invalid"),
        (JSON, b'{"username": NaN, "password": "x"}', 400, "json_invalid"),
        (JSON, b'{"username": "\\ud800", "password": "x"}', 400, "json_invalid"),
        (JSON, b"{", 400, "json_invalid"),
        (JSON, b"", 400, "body_missing"),
        (JSON, b"[]", 400, "validation_failed"),
        (JSON, b"null", 400, "validation_failed"),
        (JSON, b"{}", 400, "validation_failed"),
        (JSON, b'{"username": "", "password": "x"}', 400, "validation_failed"),
        (JSON, GOOD[:-1] + b', "admin": true}', 400, "validation_failed"),
        (JSON, b" " * 10_000_000, 413, "body_too_large"),
        ("text/plain", GOOD, 415, "content_type_unsupported"),
        ("application/json; charset=latin-1", GOOD, 415, "content_type_unsupported"),
        ("application/x-www-form-urlencoded", GOOD, 415, "content_type_unsupported"),
        ("", GOOD, 415, "content_type_unsupported"),
        ("application/json; charset=utf-8", GOOD, 401, "credentials_invalid"),
        ("APPLICATION/JSON", GOOD, 401, "credentials_invalid"),
    ],
)
async def test_a_body_that_will_not_do_is_refused_with_a_code(
    app: RunningApp, content_type: str, body: bytes, status: int, code: str
) -> None:
    """Whatever is sent to a JSON route, the answer is a 4xx that says what is wrong."""
    answer = await app.http.post("/login", content=body, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_problem_document_has_all_its_members(app: RunningApp) -> None:
    """RFC 9457: type, title, status, detail, instance; and the code and the request id."""
    answer = await app.http.get("/nowhere", headers={"X-Request-Id": "from-the-balancer-1"})

    assert answer.json() == {
        "type": "urn:edge:problem:not_found",
        "title": "There is nothing here",
        "status": 404,
        "detail": "There is nothing here.",
        "instance": "urn:edge:request:from-the-balancer-1",
        "code": "not_found",
    }
    assert answer.headers["x-request-id"] == "from-the-balancer-1"
    assert answer.headers["cache-control"] == "no-store"


async def test_validation_names_every_field_at_fault(app: RunningApp) -> None:
    """One answer tells all mistakes, each with a JSON pointer."""
    answer = await app.http.post("/login", json={"username": 3, "scope": "", "a/b~c": 1})

    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/username", "/password", "/scope", "/a~1b~0c"}


@pytest.mark.parametrize("sent", ["short", "x" * 129, "with space", "semi;colon", "\u00e4" * 9])
async def test_a_request_id_that_could_harm_a_log_is_replaced(app: RunningApp, sent: str) -> None:
    """Only ids of harmless characters and sensible length are taken over."""
    answer = await app.http.get("/livez", headers=[(b"X-Request-Id", sent.encode("latin-1"))])

    assert answer.headers["x-request-id"] != sent
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/nowhere", 404),
        ("PUT", "/login", 405),
        ("GET", "/users/me", 401),
    ],
)
async def test_every_answer_carries_a_request_id(
    app: RunningApp, method: str, path: str, status: int
) -> None:
    """The outermost layer sees all requests, those without a route included."""
    answer = await app.http.request(method, path)

    assert answer.status_code == status
    assert len(answer.headers["x-request-id"]) == 32


async def test_more_logins_than_can_be_hashed_are_told_to_wait(settings: Settings) -> None:
    """Who does not get a turn in time gets 503 with Retry-After, and never 401."""
    slow = msgspec.structs.replace(
        settings.passwords,
        time_cost=3,
        memory_kib=64 * 1024,
        hash_concurrency=1,
        queue_timeout_s=0.02,
    )
    async with running_service(msgspec.structs.replace(settings, passwords=slow)) as app:
        await app.add_user("someone")
        body = {"username": "someone", "password": app.passwords["someone"]}
        form = {"grant_type": "password", **body}
        answers = await asyncio.gather(
            *(app.http.post("/login", json=body) for _ in range(10)),
            *(app.http.post("/token", data=form) for _ in range(10)),
        )
    refused = [answer for answer in answers if answer.status_code != 200]
    codes = {answer.json().get("code") or answer.json().get("error") for answer in refused}

    assert 1 <= len(refused) < 20
    assert {answer.status_code for answer in refused} == {503}
    assert codes <= {"hashing_overloaded", "temporarily_unavailable"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
