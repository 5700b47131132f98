"""Whatever is sent to whatever takes a body, the answer is one that Edge means."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.http.oauth import OAuthErrorCode
from edge.reasons import Reason
from tests.support.app import RunningApp, bearer
from tests.support.injection import inputs

UNKNOWN = "01900000-0000-7000-8000-000000000000"
CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
PROBLEM = {"type", "title", "status", "detail", "instance", "code", "errors"}

TEXTS = st.text() | st.sampled_from(
    ["", "\0", "\ud800", "a\0b", "' --", "<b>", "\u202e", "x" * 5000]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def bodies(names: list[str]) -> st.SearchStrategy[bytes]:
    """Give bytes of all kinds: any, JSON of any form, and what comes close to what is wanted."""
    fields = st.sampled_from(names)
    documents = st.dictionaries(fields, VALUES, max_size=6) | VALUES
    forms = st.lists(st.tuples(fields, st.binary(max_size=20)), max_size=6)
    return st.one_of(
        st.binary(max_size=300),
        st.builds(lambda value: json.dumps(value).encode(), documents),
        st.builds(lambda value, at: json.dumps(value).encode()[:at], documents, st.integers(0, 99)),
        st.builds(lambda pairs: b"&".join(n.encode() + b"=" + v for n, v in pairs), forms),
        st.integers(1, 20_000).map(lambda depth: b'{"a":[' * depth),
    )


def routes_with_bodies(app: RunningApp) -> Iterator[tuple[str, str, str, str]]:
    for place in inputs(app.served.openapi_schema.to_schema()):
        if place.place == "body":
            path = place.path.replace("{user_id}", UNKNOWN)
            yield place.method, path, CONTENT_TYPES[place.body], place.name


def is_meant(answer: httpx.Response) -> bool:
    """Whether an answer is a success, a problem document with a code, or an error of OAuth."""
    if answer.is_success:
        return True
    document: Mapping[str, Any] = answer.json()
    if "error" in document:
        return document["error"] in get_args(OAuthErrorCode) and answer.status_code in (400, 401)
    return document["code"] in set(Reason) and document.keys() <= PROBLEM


@pytest.mark.no_cover  # does often what other tests do once
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_no_body_breaks_anything(app: RunningApp, data: st.DataObject) -> None:
    """No bytes get a 5xx, from any route that takes JSON or a form, and each answer has a code."""
    found = list(routes_with_bodies(app))
    body = data.draw(bodies([name for *_, name in found]))
    headers = bearer((await app.login("admin"))["access_token"])
    for method, path, content_type in sorted({route[:3] for route in found}):
        answer = await app.http.request(
            method, path, content=body, headers={**headers, "Content-Type": content_type}
        )
        assert answer.status_code < 500, (method, path, answer.text)
        assert is_meant(answer), (method, path, answer.text)
