"""`edge serve` as people run it."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.musts import decode
from tests.support.ports import free_port
from tests.support.secrets import remember
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

DEMO_USERS = ("admin", "moderator", "user")


def demo_passwords(folder: Path) -> dict[str, str]:
    passwords = {name: (folder / ".edge/demo" / name).read_text().strip() for name in DEMO_USERS}
    remember(*passwords.values())
    return passwords


def login(server: EdgeServer, username: str, password: str) -> dict[str, str]:
    body = {"username": username, "password": password}
    answer = httpx.post(f"{server.url}/login", json=body)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, str] = answer.json()
    remember(tokens["access_token"], tokens["refresh_token"])
    return tokens


def test_demo_accounts_and_sessions_survive_a_restart(tmp_path: Path) -> None:
    """Passwords are printed once and stay; a refresh token of before the restart still works."""
    server = EdgeServer(TEST_ENVIRONMENT, tmp_path, "--demo")
    with server:
        passwords = demo_passwords(tmp_path)
        tokens = login(server, "admin", passwords["admin"])
        first = server.log_text()
    with server:
        again = server.log_text().removeprefix(first)
        body = {"refresh_token": tokens["refresh_token"]}
        refreshed = httpx.post(f"{server.url}/refresh-token", json=body)
        remember(*(refreshed.json()[name] for name in ("access_token", "refresh_token")))

        assert refreshed.status_code == 200
        assert login(server, "admin", passwords["admin"])
    assert all(first.count(password) == 1 for password in passwords.values())
    assert not any(password in again for password in passwords.values())


def test_secrets_on_disk_are_for_the_owner_only(tmp_path: Path) -> None:
    """The development key and the demo passwords have mode 0600, their folder 0700."""
    with EdgeServer(TEST_ENVIRONMENT, tmp_path, "--demo"):
        data = tmp_path / ".edge"
        remember((data / "secret-key").read_text().strip(), *demo_passwords(tmp_path).values())
        files = [data / "secret-key", *(data / "demo" / name for name in DEMO_USERS)]

        assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
        assert data.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_0(tmp_path: Path, number: signal.Signals) -> None:
    """Stopping is not a failure, and leaves no process behind."""
    server = EdgeServer(TEST_ENVIRONMENT, tmp_path).start()
    server.process.send_signal(number)

    assert server.process.wait(20) == 0
    assert server.processes() == []
    server.stop()


async def test_what_is_in_flight_is_finished_before_the_server_ends(tmp_path: Path) -> None:
    """Logins that were under way when the signal came are answered, one after the other."""
    one_at_a_time = {  # and at full cost, however long that is on a busy machine
        "EDGE_PASSWORDS_HASH_CONCURRENCY": "1",
        "EDGE_PASSWORDS_QUEUE_TIMEOUT_S": "30",
    }
    with EdgeServer(one_at_a_time, tmp_path, "--demo") as server:
        body = {"username": "user", "password": demo_passwords(tmp_path)["user"]}
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            logins = [asyncio.create_task(http.post("/login", json=body)) for _ in range(5)]
            await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
            assert not all(login.done() for login in logins)
            server.process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*logins)
        assert await asyncio.to_thread(server.process.wait, 30) == 0
    remember(*(answer.json()["access_token"] for answer in answers))
    remember(*(answer.json()["refresh_token"] for answer in answers))

    assert [answer.status_code for answer in answers] == [200] * 5


def test_sigterm_ends_a_server_that_has_not_started_yet(tmp_path: Path) -> None:
    """Whenever the signal comes, the process ends; Granian alone can hang here."""
    for lines in (0, 1, 2, 3):
        process = subprocess.Popen(
            [sys.executable, "-m", "edge", "serve"],
            cwd=tmp_path,
            env={**os.environ, **TEST_ENVIRONMENT, "EDGE_SERVER_PORT": str(free_port())}
            | {"EDGE_TEST_REQUIRE": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        for _ in range(lines):  # each a step further: Granian starts, listens, has a worker
            process.stderr.readline()
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode in (0, -signal.SIGTERM), lines


def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    """Edge does not start beside somebody else, and says why."""
    with EdgeServer(TEST_ENVIRONMENT, tmp_path) as server:
        environment = {name: text for name, text in os.environ.items() if "EDGE_" not in name}
        result = subprocess.run(
            [sys.executable, "-m", "edge", "serve", "--port", str(server.port)],
            cwd=tmp_path,
            env={**environment, **TEST_ENVIRONMENT},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

        assert result.returncode == 1
        assert f"port {server.port} of 127.0.0.1" in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("environment", "options", "issuer"),
    [
        ({}, (), "http://127.0.0.1:{port}"),
        ({}, ("--host", "0.0.0.0"), "http://127.0.0.1:{port}"),  # noqa: S104  # not for long
        ({"EDGE_ISSUER": "http://id.example.com"}, (), "http://id.example.com"),
    ],
)
def test_what_is_served_elsewhere_says_so(
    tmp_path: Path, environment: dict[str, str], options: tuple[str, ...], issuer: str
) -> None:
    """Metadata and tokens name the port that was asked for, unless EDGE_ISSUER says another URL."""
    port = free_port()
    environment = {**TEST_ENVIRONMENT, "EDGE_SERVER_PORT": str(free_port()), **environment}
    issuer = issuer.format(port=port)
    with EdgeServer(
        environment, tmp_path, "--demo", "--port", str(port), *options, port=port
    ) as server:
        metadata = httpx.get(f"{server.url}/.well-known/oauth-authorization-server").json()
        tokens = login(server, "user", demo_passwords(tmp_path)["user"])
    _, claims = decode(tokens["access_token"])

    assert metadata["issuer"] == claims["iss"] == issuer
    assert metadata["token_endpoint"] == f"{issuer}/token"


def test_workers_share_sessions_and_a_killed_one_is_replaced(tmp_path: Path) -> None:
    """With two workers every connection sees every session, before and after one is killed."""
    environment = {**TEST_ENVIRONMENT, "EDGE_SERVER_WORKERS": "2"}
    with EdgeServer(environment, tmp_path, "--demo") as server:
        token = login(server, "user", demo_passwords(tmp_path)["user"])["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        def statuses() -> set[int]:
            return {  # a connection each, so that both workers are asked
                httpx.get(f"{server.url}/users/me", headers=headers).status_code for _ in range(20)
            }

        assert statuses() == {200}
        workers = psutil.Process(server.pid).children()
        assert len(workers) == 2
        workers[0].kill()
        psutil.wait_procs(workers[:1], timeout=10)
        server.wait_until(lambda: len(psutil.Process(server.pid).children()) == 2)
        server.wait_until(server.is_ready)
        assert statuses() == {200}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_killed_leaves_nobody_behind(tmp_path: Path, workers: int) -> None:
    """Its workers end too, so that a supervisor can start another one on the port."""
    environment = {**TEST_ENVIRONMENT, "EDGE_SERVER_WORKERS": str(workers)}
    server = EdgeServer(environment, tmp_path)
    server.start()
    try:
        server.process.kill()
        server.process.wait()
        server.wait_until(lambda: not server.processes())
    finally:
        server.kill()
    with server:
        assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_logs_are_json_lines_where_asked_for(tmp_path: Path) -> None:
    """Every line on standard error is one JSON object, the server's own included."""
    with EdgeServer({**TEST_ENVIRONMENT, "EDGE_LOG_FORMAT": "json"}, tmp_path) as server:
        httpx.get(f"{server.url}/users/me", headers={"X-Request-Id": "a-known-request"})
    lines = [json.loads(line) for line in server.error_text().splitlines()]
    denied = [line for line in lines if line["event"] == "access.denied"]

    assert all({"event", "level", "logger", "timestamp"} <= set(line) for line in lines)
    assert any(line["logger"].startswith("_granian") for line in lines)
    assert [(line["request_id"], line["reason"]) for line in denied] == [
        ("a-known-request", "credentials_missing")
    ]
    assert denied[0]["client_address"] == "127.0.0.1"


@pytest.mark.parametrize(
    "preface",
    [
        b"PROXY TCP4 6.6.6.6 127.0.0.1 4711 8000\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x06\x06\x06\x06\x7f\x00\x00\x01\x12\x67\x1f\x40",
    ],
)
def test_the_proxy_protocol_is_refused(tmp_path: Path, preface: bytes) -> None:
    """As docs/http.md says: 400 for version 1 and 2, and nobody's address is taken from it."""
    request = b"GET /users/me HTTP/1.1\r\nHost: edge.test\r\nConnection: close\r\n\r\n"
    with EdgeServer(TEST_ENVIRONMENT, tmp_path) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(preface + request)
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert "6.6.6.6" not in server.log_text()


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    """Copied as they stand, they log in, refresh, and are let in and kept out by role."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    assert blocks[0] == "make run\n"
    with EdgeServer(TEST_ENVIRONMENT, tmp_path, "--demo") as server:
        demo_passwords(tmp_path)
        script = "\n".join(["set -e", *blocks[1:]]).replace("http://127.0.0.1:8000", server.url)
        result = subprocess.run(
            ["bash", "-c", script],  # noqa: S607  # whichever bash the reader has
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    remember(*re.findall(r'"(?:access|refresh)_token":"([^"]+)"', result.stdout))

    assert (result.returncode, result.stderr) == (0, "")
    me, admitted, kept_out, stranger, by_basic, tokens, out = result.stdout.splitlines()
    assert json.loads(me)["username"] == "admin"
    assert (admitted, kept_out, stranger, out) == ("200", "403", "401", "204")
    assert json.loads(by_basic)["let_in_by"] == "HTTP Basic"
    assert json.loads(tokens)["token_type"] == "Bearer"
