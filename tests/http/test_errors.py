"""Bad requests get a clear answer: a problem document with a code, never a 500."""

import asyncio
import gzip

import msgspec
import pytest

from edge.settings import Settings
from tests.support.app import RunningApp, running_service

JSON = "application/json"
GOOD = b'{"username": "user", "password": "wrong wrong wrong"}'


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        (JSON, b"[" * 65 + b"]" * 65, 400, "json_too_deep"),
        (JSON, b"[" * 64 + b"]" * 64, 400, "validation_failed"),
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
        (JSON, GOOD[:-1] + b', "username": "admin"}', 400, "validation_failed"),
        (JSON, b"\xef\xbb\xbf" + GOOD, 400, "json_invalid"),
        (JSON, GOOD.decode().encode("utf-16"), 400, "json_invalid"),
        (JSON, GOOD + b"\0", 400, "json_invalid"),
        (JSON, b'{"username": 1e400, "password": "x"}', 400, "validation_failed"),
        (JSON, b" " * 10_000_000, 413, "body_too_large"),
        ("text/plain", GOOD, 415, "content_type_unsupported"),
        ("application/json; charset=latin-1", GOOD, 415, "content_type_unsupported"),
        ("application/x-www-form-urlencoded", GOOD, 415, "content_type_unsupported"),
        ("multipart/form-data; boundary=x", GOOD, 415, "content_type_unsupported"),
        ("text/plain; application/json", GOOD, 415, "content_type_unsupported"),
        ("text/plain, application/json", GOOD, 415, "content_type_unsupported"),
        ("text/plain", b"", 400, "body_missing"),
        ("", GOOD, 415, "content_type_unsupported"),
        ("application/json; charset=utf-8", GOOD, 401, "credentials_invalid"),
        ("APPLICATION/JSON", GOOD, 401, "credentials_invalid"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_that_will_not_do_is_refused_with_a_code(
    shared_app: RunningApp, content_type: str, body: bytes, status: int, code: str
) -> None:
    """Whatever is sent to a JSON route, the answer is a 4xx that says what is wrong."""
    answer = await shared_app.http.post(
        "/login", content=body, headers={"Content-Type": content_type}
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("announced", ["100000", "1"])
async def test_a_body_that_is_too_long_ends_the_connection(
    shared_app: RunningApp, announced: str
) -> None:
    """By what was announced or by what came: the rest of it is not waited for."""
    headers = {"Content-Type": JSON, "Content-Length": announced}
    answer = await shared_app.http.post("/login", content=b" " * 100_000, headers=headers)
    assert (answer.status_code, answer.headers.get("connection")) == (413, "close")


async def test_a_compressed_body_is_refused_with_what_would_do(app: RunningApp) -> None:
    """415, which names the coding that is taken, and so is told from one about the type."""
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    answer = await app.http.post("/login", content=gzip.compress(GOOD), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding_unsupported")
    assert answer.headers["accept-encoding"] == "identity"


async def test_what_bodies_may_hold_is_a_setting(settings: Settings) -> None:
    """Depth and fields are those of `max_json_depth` and `max_form_fields`."""
    server = msgspec.structs.replace(settings.server, max_json_depth=2, max_form_fields=16)
    async with running_service(msgspec.structs.replace(settings, server=server)) as app:
        for depth, code in ((2, "validation_failed"), (3, "json_too_deep")):
            body = b"[" * depth + b"]" * depth
            answer = await app.http.post("/login", content=body, headers={"Content-Type": JSON})
            assert answer.json()["code"] == code
        for count, description in ((16, "missing"), (17, "too many fields")):
            form = {f"nonce{number}": "1" for number in range(count)}
            answer = await app.http.post("/token", data=form)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
            assert description in answer.json()["error_description"]


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
@pytest.mark.asyncio(loop_scope="module")
async def test_a_request_id_that_could_harm_a_log_is_replaced(
    shared_app: RunningApp, sent: str
) -> None:
    """Only ids of harmless characters and sensible length are taken over."""
    answer = await shared_app.http.get(
        "/livez", headers=[(b"X-Request-Id", sent.encode("latin-1"))]
    )

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
@pytest.mark.asyncio(loop_scope="module")
async def test_every_answer_carries_a_request_id(
    shared_app: RunningApp, method: str, path: str, status: int
) -> None:
    """The outermost layer sees all requests, those without a route included."""
    answer = await shared_app.http.request(method, path)

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
