"""A whole Edge on this machine, without Docker: `make stack`.

Two replicas behind HAProxy or nginx, with Redis and PostgreSQL where they are installed, all on
loopback and in `.stack/`. Ctrl-C stops everything.
"""

import argparse
import base64
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".stack"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15
POLL_S = 0.1
_APPENDED = "X-Forwarded-For $proxy_add_x_forwarded_for"


class Stack(ExitStack):
    """The processes that were started, the latest last; stopped on leaving."""

    def __init__(self) -> None:
        super().__init__()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._told: set[str] = set()
        self.edges: Sequence[int] = ()
        self.redis_port: int | None = None

    def start(
        self,
        name: str,
        command: Sequence[str],
        is_up: Callable[[], bool],
        *,
        folder: Path = FOLDER,
        environ: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        """Start a server, and wait until it is up; what it says is in `.stack/NAME.log`."""
        log = FOLDER / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**_outer_environ(), **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us, who stop them in order
                user=user,
            )
        self._processes[name] = process
        self.callback(self._stop, name)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{name} does not start; it says:\n{log.read_text()[-2000:]}")
            time.sleep(POLL_S)
        print(f"  {name} is up", flush=True)

    def pid(self, name: str) -> int:
        """Give the process id of a server that was started."""
        return self._processes[name].pid

    def watch(self) -> None:
        """Tell of what ends by itself, until this is interrupted."""
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None and name not in self._told:
                    self._told.add(name)
                    print(f"  {name} has ended with {process.returncode}", flush=True)
            time.sleep(POLL_S)

    def _stop(self, name: str) -> None:
        process = self._processes[name]
        if process.poll() is None:
            # PostgreSQL waits for its clients at SIGTERM, and for nobody at SIGINT.
            process.send_signal(signal.SIGINT if name == "postgresql" else signal.SIGTERM)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        print(f"  {name} is stopped", flush=True)


def main() -> None:
    """Start it all, say where it is, and stop it all."""
    parser = argparse.ArgumentParser(prog="make stack", description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    with running_stack(options.balancer, options.port) as stack, suppress(KeyboardInterrupt):
        greet(options.port, stack.edges)
        stack.callback(print, "Stopping:", flush=True)
        stack.watch()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said of a stack."""
    parser.add_argument("--port", type=int, default=8080, help="of the load balancer (8080)")
    parser.add_argument("--balancer", choices=["haproxy", "nginx"], help="the first installed one")


@contextmanager
def running_stack(
    balancer: str | None,
    port: int,
    *,
    settings: Mapping[str, str] | None = None,
    is_proxied: bool = False,
) -> Iterator[Stack]:
    """Start everything, with more settings for Edge, and stop it on leaving.

    With `is_proxied`, whoever asks from this machine is another proxy: what it says of where a
    client is gets to Edge, behind which the load balancer names it.
    """
    balancer = balancer or next(filter(shutil.which, ("haproxy", "nginx")), None)
    if balancer is None:
        sys.exit("There is no load balancer. First run: apt-get install haproxy")
    if is_listening(port):
        sys.exit(f"Port {port} is taken; choose another: ARGS='--port 8081'")
    signal.signal(signal.SIGTERM, _interrupt)
    os.umask(0o077)  # there are secrets in what is written
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with Stack() as stack:
        print("Starting, with logs in .stack/:", flush=True)
        stores = {**start_redis(stack), **start_postgresql(stack)}
        stack.edges = start_edges(stack, port, {**stores, **(settings or {})})
        start_balancer(stack, balancer, port, is_proxied=is_proxied)
        yield stack


def start_redis(stack: Stack) -> dict[str, str]:
    """Start Redis; gives the settings of an Edge that uses it."""
    program = shutil.which("redis-server")
    if program is None:
        print("  no Redis: each replica counts by itself (apt-get install redis-server)")
        return {}
    port = free_port()
    limits = ["--save", "", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]
    command = [program, "--bind", "127.0.0.1", "--port", str(port), *limits]
    stack.start("redis", command, lambda: is_listening(port))
    stack.redis_port = port
    return {"EDGE_REDIS_URL": f"redis://127.0.0.1:{port}/0"}


def start_postgresql(stack: Stack) -> dict[str, str]:
    """Start PostgreSQL; gives the settings of an Edge that uses it."""
    found = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    initdb = shutil.which("initdb") or (found[-1] if found else None)
    if initdb is None:
        print("  no PostgreSQL: a SQLite file instead (apt-get install postgresql)")
        return {}
    port, password, user = free_port(), secrets.token_hex(16), _account_for_postgresql()
    # Not in the folder of the stack: another user may have to come there.
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-stack-")))
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(password)
    if user is not None:
        os.chown(folder, user, -1)
        os.chown(password_file, user, -1)
    made = subprocess.run(
        [initdb, "-D", data, "-U", "edge", "-A", "scram-sha-256", "--pwfile", password_file],
        user=user,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        sys.exit(f"PostgreSQL cannot be set up:\n{made.stderr}")
    server = Path(initdb).with_name("postgres")
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    command = [str(server), "-D", str(data), "-p", str(port), *options]
    stack.start("postgresql", command, lambda: is_listening(port), folder=folder, user=user)
    return {"EDGE_DATABASE_URL": f"postgresql://edge:{password}@127.0.0.1:{port}/postgres"}


def start_edges(stack: Stack, port: int, settings: Mapping[str, str]) -> list[int]:
    """Start two replicas for a load balancer at `port`; gives the ports by which they differ."""
    ports = [free_port(), free_port()]
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    environ = {
        "EDGE_DATA_DIR": str(FOLDER / "edge"),
        "EDGE_ISSUER": f"http://127.0.0.1:{port}",
        "EDGE_SECRET_KEY": key,
        "EDGE_PROXIES_TRUSTED": "127.0.0.1",
        "EDGE_SERVER_DRAIN_S": "3",
        # Each would else hash on all cores.
        "EDGE_PASSWORDS_HASH_CONCURRENCY": str(max((os.cpu_count() or 1) // len(ports), 1)),
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    for number, own in enumerate(ports, start=1):
        demo = ["--demo"] if number == 1 else []  # the accounts are for both
        command = [sys.executable, "-m", "edge", "serve", "--port", str(own), *demo]
        stack.start(f"edge-{number}", command, partial(is_ready, own), environ=environ)
    return ports


def start_balancer(stack: Stack, name: str, port: int, *, is_proxied: bool = False) -> None:
    """Start the load balancer with its file of `deploy/`, of which only the ports are changed.

    With `is_proxied`, it also appends to X-Forwarded-For instead of writing it anew.
    """
    source = ROOT / "deploy" / name / {"haproxy": "api.cfg", "nginx": "api.conf"}[name]
    text = with_ports(source.read_text(), {"8000": stack.edges[0], "8001": stack.edges[1]})
    text = text.replace("bind :8080", f"bind 127.0.0.1:{port}")
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}")
    if is_proxied:
        text = text.replace("set-header X-Forwarded-For", "add-header X-Forwarded-For")
        text = text.replace("X-Forwarded-For $remote_addr", _APPENDED)
    config = FOLDER / source.name
    config.write_text(text)
    if name == "nginx":
        start_nginx(stack, name, f"include {config};", lambda: is_ready(port))
    else:
        stack.start(name, ["haproxy", "-db", "-f", str(config)], lambda: is_ready(port))


def start_nginx(stack: Stack, name: str, content: str, is_up: Callable[[], bool]) -> None:
    """Start nginx with what stands in its http block."""
    whole = FOLDER / f"{name}.conf"
    whole.write_text(_nginx_conf(name, content))
    command = ["nginx", "-e", "stderr", "-p", str(FOLDER), "-c", str(whole)]
    stack.start(name, command, is_up)


def greet(port: int, edges: Sequence[int]) -> None:
    """Say where everything is, and what to try."""
    url, demo = f"http://127.0.0.1:{port}", FOLDER.relative_to(ROOT) / "edge/demo"
    print(
        f"""
Edge is at {url}; its replicas are at {" and ".join(f"http://127.0.0.1:{one}" for one in edges)}.
Accounts: admin, moderator, user; passwords in {demo}/. Try:

  curl {url}/token -d grant_type=password -d username=admin -d password="$(cat {demo}/admin)"
  a browser at {url}/docs
  kill one replica, and see the load balancer go on:  pkill -f 'edge serve --port {edges[1]}'

Ctrl-C stops everything.
""",
        flush=True,
    )


def is_ready(port: int) -> bool:
    """Say whether an Edge answers there, itself or through the load balancer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except OSError:
        return False


def is_listening(port: int) -> bool:
    """Say whether somebody accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Give a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    for old, new in ports.items():
        text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    return text


def _nginx_conf(name: str, content: str) -> str:
    """Give what stands around it, so that nginx writes into the folder of the stack only."""
    temporary = "".join(
        f"{kind}_temp_path {FOLDER}/{name}-{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
        daemon off;
        pid {FOLDER}/{name}.pid;
        events {{}}
        http {{ access_log off; {temporary} {content} }}
    """


def _account_for_postgresql() -> int | None:
    """Give who runs PostgreSQL: it refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return pwd.getpwnam("nobody").pw_uid


def _outer_environ() -> dict[str, str]:
    """Give this environment without settings of Edge, which are for another one."""
    return {name: text for name, text in os.environ.items() if not name.startswith("EDGE_")}


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
