"""`GET /files/{path}`: what is in the folder, and nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from litestar import Litestar

from edge import EdgePlugin
from edge.http.enforcement import accepted_methods
from edge.settings import Settings
from tests.support.app import RunningApp, make_settings, running, running_service
from tests.support.databases import SqliteTemplate
from tests.support.paths import NOT_SERVED, NOWHERE, OUTSIDE, SERVED, make_tree
from tests.support.served_folder import open_beneath

# Long ago, so that nobody takes the files for just changed.
MODIFIED_S: Final = 784_111_777
MODIFIED: Final = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_tree(tmp_path)
    for name in SERVED:
        os.utime(root / name, (MODIFIED_S, MODIFIED_S))
    return root


@pytest.fixture
def settings(sqlite_template: SqliteTemplate, tmp_path: Path, root: Path) -> Settings:
    url = sqlite_template.copy_to(tmp_path / "edge.db")
    return make_settings(tmp_path / "data", url, FILES_ROOT=str(root))


@pytest.fixture
async def app(settings: Settings, root: Path) -> AsyncIterator[RunningApp]:
    async with running_service(settings) as running:
        yield running
    assert open_beneath(root.parent / "served") == []


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes


async def ask_as_sent(app: RunningApp, path: bytes, method: str = "GET") -> Answer:
    """Ask without a client that mends the path; the scope is what Granian makes of it."""
    messages: list[Any] = []
    decoded = unquote_to_bytes(path).decode(errors="replace")
    scope = {
        "type": "http",
        "method": method,
        "path": decoded,
        "raw_path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"edge.test")],
        "client": ("203.0.113.7", 4711),
        "server": ("edge.test", 80),
        "scheme": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }

    async def receive() -> Any:  # noqa: ANN401  # any ASGI message
        return await asyncio.get_running_loop().create_future()  # the client stays

    async def send(message: Any) -> None:  # noqa: ANN401  # any ASGI message
        messages.append(message)

    await app.served(scope, receive, send)  # type: ignore[arg-type] # Litestar's own ASGI types
    return Answer(messages[0]["status"], b"".join(one.get("body", b"") for one in messages))


def path_of(name: str) -> str:
    return f"/files/{quote(name)}"


async def test_a_file_of_the_folder_is_served(app: RunningApp) -> None:
    """Its bytes, how many they are, and what tells its states apart."""
    for name, content in SERVED.items():
        answer = await app.http.get(path_of(name))

        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["last-modified"] == MODIFIED
        assert answer.headers["etag"].startswith('"')
        assert "x-request-id" in answer.headers


async def test_head_is_get_without_the_bytes(app: RunningApp) -> None:
    """The same status and fields."""
    for name in SERVED:
        got, head = await app.http.get(path_of(name)), await app.http.head(path_of(name))
        for answer in (got, head):
            del answer.headers["x-request-id"]

        assert (head.status_code, head.headers) == (got.status_code, got.headers)
        assert head.content == b""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_whatever_else_is_asked_for_is_not_there(app: RunningApp, method: str) -> None:
    """Ways out, hidden files, links, folders, pipes and what is missing: all the same 404.

    What can be read in two ways comes to no route, and is 400.
    """
    found = set()
    for path in (*NOWHERE, *NOT_SERVED):
        answer = await ask_as_sent(app, b"/files/" + path, method)
        found.add((answer.status, msgspec.json.decode(answer.body)["code"]))
    assert found == {(404, "not_found"), (400, "path_ambiguous")}


_PIECES = st.sampled_from(
    [*"/\\:;~%", "..", "%2e", "%2f", "%5c", "%00", "%25", "sub", "plain.txt", "link.txt", "pipe"]
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(_PIECES, max_size=8))
async def test_no_mixture_of_tricks_gets_out(app: RunningApp, pieces: list[str]) -> None:
    """Any of them in any order gives a file of the folder, or 404 or 400."""
    answer = await ask_as_sent(app, b"/files/" + "".join(pieces).encode())

    assert answer.status in (200, 400, 404)
    assert OUTSIDE not in answer.body
    assert answer.status != 200 or answer.body in SERVED.values()


@pytest.mark.parametrize(
    "path",
    [b"/%66iles/plain.txt", b"//files/plain.txt", b"/files//plain.txt", b"/./files/plain.txt", b""],
)
async def test_a_disguised_route_serves_nothing(app: RunningApp, path: bytes) -> None:
    """The router sees through it; a balancer that guards `/files/` may not."""
    assert (await ask_as_sent(app, path)).body not in SERVED.values()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_files_are_only_read(app: RunningApp, method: str) -> None:
    """Other methods are not allowed, and the answer says which are."""
    answer = await app.http.request(method, "/files/plain.txt")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("asked", "content", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=9-1000", b"9", "bytes 9-9/10"),
    ],
)
async def test_a_range_is_a_part_of_the_file(
    app: RunningApp, asked: str, content: bytes, content_range: str
) -> None:
    """206, with the bytes asked for and where they belong."""
    answer = await app.http.get("/files/plain.txt", headers={"Range": asked})

    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == content_range
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=5-4", "lines=1-2", "nonsense"])
async def test_ranges_that_are_not_served_get_the_whole(app: RunningApp, asked: str) -> None:
    """Several of them are answered as none."""
    answer = await app.http.get("/files/plain.txt", headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, SERVED["plain.txt"])


async def test_a_range_beyond_the_end_is_416(app: RunningApp) -> None:
    """The problem document comes with how long the file is."""
    answer = await app.http.get("/files/plain.txt", headers={"Range": "bytes=10-"})

    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */10"


async def test_a_download_is_resumed_in_parts(app: RunningApp) -> None:
    """Parts asked for with If-Range make up the file."""
    path, size, length = "/files/large.bin", len(SERVED["large.bin"]), 300_000
    etag = (await app.http.head(path)).headers["etag"]
    parts = b""
    while len(parts) < size:
        fields = {"Range": f"bytes={len(parts)}-{len(parts) + length - 1}", "If-Range": etag}
        answer = await app.http.get(path, headers=fields)
        assert answer.status_code == 206
        parts += answer.content

    assert parts == SERVED["large.bin"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(app: RunningApp, method: str) -> None:
    """304 by tag and by date, without a body."""
    etag = (await app.http.get("/files/plain.txt")).headers["etag"]
    for fields in ({"If-None-Match": etag}, {"If-Modified-Since": MODIFIED}):
        answer = await app.http.request(method, "/files/plain.txt", headers=fields)

        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert "content-length" not in answer.headers


async def test_a_condition_that_does_not_hold_is_412(app: RunningApp) -> None:
    """The client takes the file for another one."""
    for fields in ({"If-Match": '"other"'}, {"If-Unmodified-Since": MODIFIED.replace("94", "93")}):
        answer = await app.http.get("/files/plain.txt", headers=fields)

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


async def test_repeated_condition_fields_are_one_list(app: RunningApp) -> None:
    """Any of the tags will do, in whichever field (RFC 9110 section 5.3)."""
    etag = (await app.http.get("/files/plain.txt")).headers["etag"]
    fields = [("If-None-Match", '"other"'), ("If-None-Match", etag)]

    assert (await app.http.get("/files/plain.txt", headers=fields)).status_code == 304


async def test_a_changed_file_is_sent_again(app: RunningApp, root: Path) -> None:
    """Its tag is another one, and a part that was asked for becomes the whole."""
    etag = (await app.http.get("/files/plain.txt")).headers["etag"]
    (root / "plain.txt").write_bytes(b"9876543210")
    again = await app.http.get("/files/plain.txt", headers={"If-None-Match": etag})
    fields = {"Range": "bytes=5-", "If-Range": etag}
    resumed = await app.http.get("/files/plain.txt", headers=fields)

    assert (again.status_code, again.content) == (200, b"9876543210")
    assert (resumed.status_code, resumed.content) == (200, b"9876543210")


@pytest.mark.parametrize(
    ("name", "media_type", "disposition"),
    [
        ("plain.txt", "text/plain; charset=utf-8", None),
        ("page.html", "text/html; charset=utf-8", "attachment"),
        ("large.bin", "application/octet-stream", "attachment"),
    ],
)
@pytest.mark.parametrize("fields", [{}, {"Range": "bytes=0-1"}])
async def test_a_browser_is_told_what_to_do_with_it(
    app: RunningApp, name: str, media_type: str, disposition: str | None, fields: dict[str, str]
) -> None:
    """To show what cannot run, to save the rest; of a part too."""
    answer = await app.http.get(path_of(name), headers=fields)

    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get("content-disposition") == disposition


def public_routes(app: Litestar) -> set[str]:
    return {
        f"{method} {route.path}"
        for route in app.routes
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items()
        if not accepted_methods(handler.opt)
    }


async def test_the_route_is_there_only_where_a_folder_is(settings: Settings) -> None:
    """Two public routes more; none without a folder, or without examples."""
    without = msgspec.structs.replace(settings, files=type(settings.files)())
    off = msgspec.structs.replace(settings, example_routes=False)
    for some in (without, off):
        async with running_service(some) as app:
            assert not any("files" in route for route in public_routes(app.served))
            assert (await app.http.get("/files/plain.txt")).status_code == 404
    async with running_service(settings) as app:
        added = {"GET /files/{path:path}", "HEAD /files/{path:path}"}
        assert {route for route in public_routes(app.served) if "files" in route} == added


async def test_the_description_has_every_answer(app: RunningApp) -> None:
    """Every status that the route itself gives, and what comes with it."""
    operations = (await app.get("/openapi.json")).json()["paths"]["/files/{path}"]
    answers = operations["get"]["responses"]
    kinds = {int(status): list(one.get("content", ())) for status, one in answers.items()}

    assert {status: kinds[status] for status in (200, 206, 304)} == {
        200: ["*/*"],
        206: ["*/*"],
        304: [],
    }
    for status in (404, 412, 416, 503):
        assert kinds[status] == ["application/problem+json"], status
    assert operations["head"]["responses"].keys() == answers.keys()


async def test_an_app_with_a_path_of_its_own_serves_beneath_that(settings: Settings) -> None:
    """What precedes the route is no part of the name."""
    app = Litestar(path="/edge", plugins=[EdgePlugin(settings)])
    async with running(app) as own:
        assert (await own.http.get("/edge/files/sub/deep.txt")).content == b"deep"
        assert (await own.http.get("/edge/files/files/plain.txt")).status_code == 404
