"""Load balancers as users run them: the real programs with the very files of `deploy/`.

Of these only ports and folders are changed: 8000 and 8001 are Edge, 9000 is a service, 8080 is the
balancer, 8090 what it keeps to itself; `/etc/NAME/` is the folder that holds the files.
"""

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from benchmarks.programs import keeper
from tests.support.logs import server_log
from tests.support.ports import free_port
from tests.support.requirements import missing

Role = Literal["api", "forward-auth"]

_DEPLOY: Final = Path(__file__).parents[2] / "deploy"
_START_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.02


class Kind(msgspec.Struct, frozen=True):
    """One of the balancers: its program, and how to run it in a folder with its files.

    `can_be_told` what to answer itself, and answers problem documents then.
    """

    name: str
    install: str
    arguments: Callable[[Path, Role], Sequence[str]]
    environment: Callable[[Path], Mapping[str, str]] = lambda _: {}
    can_be_told: bool = True


class Balancer(msgspec.Struct, frozen=True):
    """One that is running."""

    kind: Kind
    port: int


@contextmanager
def running_balancer(
    kind: Kind,
    role: Role,
    edge: Sequence[int],
    service: int = 0,
    *,
    breaking: Mapping[str, str] | None = None,
) -> Iterator[Balancer]:
    """Start a balancer with two replicas of Edge behind it, and stop it on leaving.

    `breaking` is what else is changed in its files, to see what happens then.
    """
    program = _program(kind)
    port = free_port()
    ports = {"8000": edge[0], "8001": edge[1], "9000": service, "8080": port, "8090": free_port()}
    folder = Path(tempfile.mkdtemp(prefix=f"edge-{kind.name}-"))
    changes = {f"/etc/{kind.name}/": f"{folder}/", **(breaking or {})}
    _copy(_DEPLOY / kind.name, folder, ports, changes)
    command = [program, *kind.arguments(folder, role)]
    account = [str(os.geteuid()), str(os.getegid())]
    log = server_log(f"{kind.name}-{port}")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, keeper.__file__, *account, str(folder), *command],
            env={**os.environ, **kind.environment(folder)},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_serving(process, port, log)
        yield Balancer(kind, port)
    finally:
        process.communicate()  # its input is closed, so the keeper stops the balancer


def _program(kind: Kind) -> str:
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
    found = shutil.which(kind.name, path=here)
    if found is None:
        missing(kind.name, kind.install)
    return found


def _copy(source: Path, folder: Path, ports: Mapping[str, int], changes: Mapping[str, str]) -> None:
    numbers = re.compile(rf"\b(?:{'|'.join(ports)})\b")
    for file in source.iterdir():
        text = numbers.sub(lambda found: str(ports[found[0]]), file.read_text())
        for before, after in changes.items():
            text = text.replace(before, after)
        (folder / file.name).write_text(text)


def _wait_until_serving(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.perf_counter() + _START_TIMEOUT_S
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            break
        if _is_serving(port):
            return
        time.sleep(_POLL_S)
    message = f"the balancer is not there; it wrote:\n{log.read_text(errors='replace')}"
    raise RuntimeError(message)


def _is_serving(port: int) -> bool:
    """Say whether it acts on its file: it answers, or waits for Edge.

    One that has not read all of its files yet answers 404.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status != http.HTTPStatus.NOT_FOUND
    except TimeoutError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _nginx(folder: Path, role: Role) -> Sequence[str]:
    """Write what `/etc/nginx/nginx.conf` is on a machine."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"""
        user root;
        daemon off;
        worker_processes 2;
        pid {folder}/pid;
        events {{}}
        http {{ access_log off; {temporary} include {folder}/{role}.conf; }}
        """
    )
    return ["-e", "stderr", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def _haproxy(folder: Path, role: Role) -> Sequence[str]:
    return ["-db", "-f", f"{folder}/{role}.cfg"]


def _caddy(folder: Path, role: Role) -> Sequence[str]:
    return ["run", "--adapter", "caddyfile", "--config", f"{folder}/{role}.Caddyfile"]


def _caddy_environment(folder: Path) -> Mapping[str, str]:
    """Let it keep all of its own in the folder, and be told what to do through a socket there."""
    return {"HOME": str(folder), "CADDY_ADMIN": f"unix/{folder}/admin"}


def _envoy(folder: Path, role: Role) -> Sequence[str]:
    alone = ["--use-dynamic-base-id", "--concurrency", "2", "--log-level", "warning"]
    return ["-c", f"{folder}/{role}.yaml", *alone]


def _traefik(folder: Path, role: Role) -> Sequence[str]:
    (folder / f"{role}.yaml").rename(folder / "dynamic.yaml")
    return [f"--configFile={folder}/traefik.yaml"]


KINDS: Final = {
    kind.name: kind
    for kind in [
        Kind("nginx", "apt-get install nginx", _nginx),
        Kind("haproxy", "apt-get install haproxy", _haproxy),
        Kind("caddy", "apt-get install caddy", _caddy, _caddy_environment),
        Kind("envoy", "make balancers", _envoy),
        Kind("traefik", "make balancers", _traefik, can_be_told=False),
    ]
}
