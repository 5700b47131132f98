"""Files through a real server, asked by sockets that mend nothing."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.paths import NOT_SERVED, NOWHERE, OUTSIDE, SERVED, make_tree
from tests.support.raw_http import ask, asked, take_answer
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

LARGE_BYTES = 50_000_000  # more than all buffers on the way hold


# One server for all: nothing that is asked of it changes what it serves.
@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[EdgeServer]:
    environment = {**TEST_ENVIRONMENT, "EDGE_FILES_ROOT": str(root)}
    with EdgeServer(environment, tmp_path_factory.mktemp("files")) as server:
        yield server


@pytest.fixture
def large(root: Path) -> Iterator[Path]:
    path = root / "huge.bin"
    path.write_bytes(b"a" * LARGE_BYTES)
    yield path
    path.unlink()


def open_files(server: EdgeServer, folder: Path) -> list[str]:
    return [
        file.path
        for process in server.processes()
        for file in process.open_files()
        if file.path.startswith(str(folder))
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_path_gets_out(server: EdgeServer, method: str) -> None:
    """Whatever a socket can send is 400 or 404, and nothing of what is outside comes back."""
    for path in (*NOWHERE, *NOT_SERVED):
        answer = ask(server.port, b"/files/" + path, method=method)

        assert answer.status in (400, 404), path
        assert OUTSIDE not in answer.body
    assert "Traceback" not in server.log_text()


@pytest.mark.parametrize(
    "target",
    [
        b"/../../etc/passwd",
        b"/files/../../../../etc/passwd",
        b"/x/../files/plain.txt",
        b"//files/plain.txt",
        b"/files//plain.txt",
        b"/%66iles/plain.txt",
        b"/FILES/plain.txt",
        b"file:///etc/passwd",
        b"http://edge.test/files/../outside.txt",
    ],
)
def test_no_target_gets_around_the_route(server: EdgeServer, target: bytes) -> None:
    """The route has one spelling only."""
    assert ask(server.port, target).status in (400, 401, 404)


def test_files_arrive_as_they_are(server: EdgeServer) -> None:
    """By their names as people write them, queries left aside."""
    for name, content in SERVED.items():
        answer = ask(server.port, f"/files/{quote(name)}?a=../b".encode())

        assert (answer.status, answer.body) == (200, content), name


def test_a_connection_is_used_again_after_each_kind_of_answer(server: EdgeServer) -> None:
    """No answer has more or fewer bytes than it says: the next one is where it should be."""
    etag = ask(server.port, b"/files/plain.txt").fields["etag"]
    kinds = [
        ("GET", [], 200, b"0123456789"),
        ("HEAD", [], 200, b""),
        ("GET", ["Range: bytes=2-4"], 206, b"234"),
        ("HEAD", ["Range: bytes=2-4"], 200, b""),
        ("GET", [f"If-None-Match: {etag}"], 304, b""),
        ("HEAD", [f"If-None-Match: {etag}"], 304, b""),
    ]
    for method, fields, status, body in kinds:
        with asked(server.port, b"/files/plain.txt", fields, method) as connection:
            answer = take_answer(connection, method)
            assert (answer.status, answer.body) == (status, body)

            connection.sendall(b"GET /files/sub/deep.txt HTTP/1.1\r\nHost: edge.test\r\n\r\n")
            assert take_answer(connection).body == b"deep"


def test_a_file_cut_while_it_is_sent_ends_the_connection(server: EdgeServer, large: Path) -> None:
    """The client is not left waiting, and sees that something is missing."""
    with asked(server.port, b"/files/huge.bin") as connection:
        assert connection.recv(10) == b"HTTP/1.1 2"
        os.truncate(large, 1000)
        received = sum(map(len, iter(lambda: connection.recv(2**20), b"")))

    assert received < LARGE_BYTES
    server.wait_until(lambda: not open_files(server, large))
    assert "became shorter" in server.log_text()


def test_nothing_stays_open_for_a_client_that_left(server: EdgeServer, large: Path) -> None:
    """In the middle of a file."""
    with asked(server.port, b"/files/huge.bin") as connection:
        assert connection.recv(10) == b"HTTP/1.1 2"
        server.wait_until(lambda: open_files(server, large) == [str(large)])

    server.wait_until(lambda: not open_files(server, large))
    assert server.is_ready()
