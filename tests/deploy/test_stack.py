"""`make stack`: a whole Edge on this machine, and nothing left of it afterwards."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.ports import free_port
from tests.support.requirements import missing
from tests.support.secrets import remember

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]


class Stack:
    """One that is up."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, output: str) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.output = output

    @property
    def family(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))


@contextmanager
def running_stack(folder: Path, balancer: str) -> Iterator[Stack]:
    """Run it in a copy of the sources, which it writes into, until this is left."""
    for program in (balancer, "redis-server"):
        if shutil.which(program) is None:
            missing(program, f"apt-get install {program}")
    for part in ("edge", "deploy"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.stack", "--port", str(port), "--balancer", balancer],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    output = ""
    try:
        assert process.stdout is not None
        while "Ctrl-C stops everything" not in output:
            line = process.stdout.readline()
            assert line, output
            output += line
        yield Stack(process, port, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output + rest


@pytest.mark.parametrize("balancer", ["haproxy", "nginx"])
def test_the_stack_is_up_until_it_is_interrupted(tmp_path: Path, balancer: str) -> None:
    """It serves through the load balancer, goes on without a replica, and leaves nothing behind."""
    folder = tmp_path / "copy"
    with running_stack(folder, balancer) as stack, httpx.Client(base_url=stack.url) as client:
        password = (folder / ".stack/edge/demo/admin").read_text().strip()
        form = {"grant_type": "password", "username": "admin", "password": password}
        tokens = client.post("/token", data=form).json()
        remember(password, tokens["access_token"], tokens["refresh_token"])
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        for _ in range(10):  # whichever replica answers
            assert client.get("/admin-area", headers=bearer).status_code == 200
        assert client.get("/readyz").json()["dependencies"]["redis"] == "up"
        assert "redis is up" in stack.output

        edges = [int(port) for port in re.findall(r"(?<=127\.0\.0\.1:)\d+", stack.output)][1:3]
        _kill(stack, edges[1])
        for _ in range(10):
            assert client.get("/admin-area", headers=bearer).status_code == 200
        family = stack.family
    assert len(family) >= 5
    assert not [process for process in family if process.is_running()]


def _kill(stack: Stack, port: int) -> None:
    """Kill a replica with its workers, as a lost machine would go."""
    processes = [one for one in stack.family if f"--port {port}" in " ".join(one.cmdline())]
    assert processes
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


def test_a_port_that_is_taken_is_told_at_once(tmp_path: Path) -> None:
    """Nothing is started then."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "deploy.stack", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
