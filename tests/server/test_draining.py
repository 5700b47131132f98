"""Stopping without losing a request, and how else a server may listen."""

import http.client
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.certificates import make_certificate
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

DRAIN_S = 1.5


def draining(folder: Path, drain_s: float = DRAIN_S, **environ: str) -> EdgeServer:
    environment = {**TEST_ENVIRONMENT, "EDGE_SERVER_DRAIN_S": str(drain_s), **environ}
    return EdgeServer(environment, folder)


def readiness(client: httpx.Client) -> tuple[int, bool]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["draining"]


def test_sigterm_turns_readiness_red_and_stops_later(tmp_path: Path) -> None:
    """It serves on for so long, on new connections too, and asks clients to leave; then exits 0."""
    server = draining(tmp_path).start()
    with httpx.Client(base_url=server.url) as client:
        assert readiness(client) == (200, False)
        assert client.get("/livez").headers.get("connection") != "close"
        started = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        server.wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
        assert readiness(client) == (503, True)
        answer = client.get("/livez")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert server.process.wait(20) == 0
    assert time.perf_counter() - started >= DRAIN_S
    assert server.processes() == []
    server.stop()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(tmp_path: Path, second: signal.Signals) -> None:
    """Who is in a hurry is not kept waiting."""
    server = draining(tmp_path, drain_s=600).start()
    server.process.send_signal(signal.SIGTERM)
    server.wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
    server.process.send_signal(second)
    assert server.process.wait(20) == 0
    server.stop()


def test_draining_on_demand(tmp_path: Path) -> None:
    """`edge drain` finds the server by its port; it serves on until it is stopped."""
    with draining(tmp_path, EDGE_SERVER_WORKERS="2") as server:
        assert "is draining" in server.command("drain", "--port", str(server.port))
        for _ in range(10):  # both workers, whichever answers
            assert httpx.get(f"{server.url}/readyz").status_code == 503
        assert httpx.get(f"{server.url}/livez").status_code == 200
        assert server.process.poll() is None
        with pytest.raises(subprocess.CalledProcessError):
            server.command("drain", "--port", "1")


def test_a_worker_that_is_replaced_drains_too(tmp_path: Path) -> None:
    """What a server has said of itself holds for workers that come later."""
    with draining(tmp_path) as server:
        server.command("drain", "--port", str(server.port))
        worker = next(one for one in server.processes() if one.pid != server.pid)
        worker.kill()
        server.wait_until(lambda: _status(server) == 503)


def _status(server: EdgeServer) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_a_unix_socket_is_for_whom_its_mode_says(tmp_path: Path) -> None:
    """And one that a killed server left behind does not keep the next one from starting."""
    path = tmp_path / "edge.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    environment = {
        **TEST_ENVIRONMENT,
        "EDGE_DATA_DIR": str(tmp_path / "data"),
        "EDGE_SERVER_UNIX_SOCKET": str(path),
        "EDGE_SERVER_UNIX_SOCKET_MODE": "600",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "serve"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        while "Started worker" not in process.stderr.readline():
            assert process.poll() is None
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://edge.test") as client:
            assert client.get("/readyz").status_code == 200
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_new_certificate_is_taken_at_sighup(tmp_path: Path) -> None:
    """Without a restart; requests go on being answered."""
    (tmp_path / "new").mkdir()
    old, new = make_certificate(tmp_path), make_certificate(tmp_path / "new")
    environment = {
        "EDGE_SERVER_TLS_CERTIFICATE": str(old.certificate),
        "EDGE_SERVER_TLS_KEY": str(old.key),
        "EDGE_SERVER_HTTP": "auto",
    }
    server = TlsServer({**TEST_ENVIRONMENT, **environment}, tmp_path)
    with server:
        first = served(server)
        old.certificate.write_bytes(new.certificate.read_bytes())
        old.key.write_bytes(new.key.read_bytes())
        workers = server.workers()
        server.process.send_signal(signal.SIGHUP)
        # The old worker, which is there for some seconds more, may answer until it is gone.
        server.wait_until(lambda: served(server) != first and not workers & server.workers())
        assert served(server) == ssl.PEM_cert_to_DER_cert(new.certificate.read_text())


class TlsServer(EdgeServer):
    """A server that is asked by https."""

    def is_ready(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=1, context=context)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def served(server: EdgeServer) -> bytes:
    """Give the certificate that the server shows."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
