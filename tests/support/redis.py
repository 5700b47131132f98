"""Real Redis servers of the tests' own, on free loopback ports, with nothing kept on disk.

One by itself, a Cluster of three, and a master with a replica that a sentinel watches.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import psutil

from benchmarks.programs import keeper
from tests.support.certificates import Certificate
from tests.support.ports import free_port, is_listening
from tests.support.requirements import missing

_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.01
_SLOTS: Final = 16_384

# How long a node or master that is silent is waited for: short, and longer than a busy machine's
# hiccup.
_SILENT_MS: Final = 1000


class Redis:
    """A server that can be stopped and started again on the same port."""

    def __init__(
        self, *settings: str, is_sentinel: bool = False, certificate: Certificate | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._settings = settings
        if certificate:
            self.url = f"rediss://127.0.0.1:{self.port}/0?ssl_ca_certs={certificate.certificate}"
            self._settings = (
                "port 0",
                f"tls-port {self.port}",
                f"tls-cert-file {certificate.certificate}",
                f"tls-key-file {certificate.key}",
                f"tls-ca-cert-file {certificate.certificate}",
                "tls-auth-clients no",
                *settings,
            )
        self._is_sentinel = is_sentinel
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            missing("redis", "apt-get install redis-server")
        folder = Path(tempfile.mkdtemp(prefix="edge-redis-"))
        own = ["bind 127.0.0.1", f"port {self.port}", f"dir {folder}"]
        own += [] if self._is_sentinel else ['save ""', "repl-diskless-sync-delay 0"]
        config = folder / "redis.conf"
        config.write_text("\n".join((*own, *self._settings, "")))
        command = [program, str(config), *(["--sentinel"] if self._is_sentinel else [])]
        account = [str(os.geteuid()), str(os.getegid())]
        self._process = subprocess.Popen(
            [sys.executable, keeper.__file__, *account, str(folder), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(lambda: is_listening(self.port))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()  # the keeper stops the server then
        self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the server with SIGKILL."""
        self._server().kill()
        self.stop()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Stop the server with SIGSTOP: it keeps its connections and says nothing."""
        found = self._server()
        found.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            found.send_signal(signal.SIGCONT)

    def _server(self) -> psutil.Process:
        [found] = [
            process
            for process in psutil.Process(os.getpid()).children(recursive=True)
            if process.name() == "redis-server" and f":{self.port}" in " ".join(process.cmdline())
        ]
        return found

    def say(self, *command: str) -> str:
        """Give what `redis-cli` prints for a command."""
        return subprocess.run(
            ["redis-cli", "-p", str(self.port), *command],  # noqa: S607  # comes with the server
            capture_output=True,
            text=True,
            check=True,
        ).stdout


@contextmanager
def running_redis(*settings: str, certificate: Certificate | None = None) -> Iterator[Redis]:
    server = Redis(*settings, certificate=certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Cluster(msgspec.Struct, frozen=True):
    """Three nodes, each with a third of the slots."""

    nodes: Sequence[Redis]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                running_redis(
                    "cluster-enabled yes",
                    f"cluster-port {free_port()}",
                    f"cluster-node-timeout {_SILENT_MS}",
                )
            )
            for _ in range(3)
        ]
        starts = [_SLOTS * place // len(nodes) for place in range(len(nodes) + 1)]
        for node, first, end in zip(nodes, starts, starts[1:], strict=False):
            node.say("cluster", "addslotsrange", str(first), str(end - 1))
            bus = node.say("config", "get", "cluster-port").split()[-1]
            nodes[0].say("cluster", "meet", "127.0.0.1", str(node.port), bus)
        for node in nodes:
            wait_until(lambda node=node: _is_whole(node))  # type: ignore[misc]  # is called at once
        yield Cluster(nodes)


class WatchedMaster(msgspec.Struct, frozen=True):
    """A master, its replica, and a sentinel that puts the one in the place of the other."""

    master: Redis
    replica: Redis
    sentinel: Redis

    @property
    def url(self) -> str:
        """The sentinels, of which the first is not there: the next one is asked then."""
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.sentinel.port}/main/0"


@contextmanager
def running_with_sentinel() -> Iterator[WatchedMaster]:
    with ExitStack() as stack:
        master = stack.enter_context(running_redis())
        replica = stack.enter_context(running_redis(f"replicaof 127.0.0.1 {master.port}"))
        wait_until(lambda: "master_link_status:up" in replica.say("info", "replication"))
        sentinel = Redis(
            f"sentinel monitor main 127.0.0.1 {master.port} 1",
            f"sentinel down-after-milliseconds main {_SILENT_MS}",
            f"sentinel failover-timeout main {10 * _SILENT_MS}",
            is_sentinel=True,
        )
        sentinel.start()
        stack.callback(sentinel.stop)
        wait_until(lambda: str(replica.port) in sentinel.say("sentinel", "replicas", "main"))
        yield WatchedMaster(master, replica, sentinel)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true.

    Raises:
        RuntimeError: it did not in time.
    """
    deadline = time.perf_counter() + _TIMEOUT_S
    while not condition():
        if time.perf_counter() > deadline:
            message = f"did not happen in {_TIMEOUT_S} s"
            raise RuntimeError(message)
        time.sleep(_POLL_S)


def _is_whole(node: Redis) -> bool:
    state = node.say("cluster", "info")
    return "cluster_state:ok" in state and "cluster_known_nodes:3" in state
