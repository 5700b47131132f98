"""Load tests against the stack of `make stack`, which is started and stopped: `make load`.

What stands behind `--` is handed on to locust. Its exit code is ours: 0 passed, 1 objectives, 3
correctness, 4 not valid.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.stack import (
    FOLDER,
    ROOT,
    Stack,
    add_options,
    free_port,
    is_listening,
    running_stack,
    start_nginx,
    with_ports,
)
from loadtests.__main__ import SCENARIOS
from loadtests.issuer import make_issuer
from loadtests.trust import edge_settings
from loadtests.verdict import Outcome

# A service that says what it is told of who asks.
_SERVICE = """
    server {
        listen 127.0.0.1:9000;
        location / { default_type text/plain; return 200 "$http_x_auth_subject"; }
    }
"""
_REDIS_PAUSE_MS = 1000
_PAGE_PORT = 8089
_JUDGE_TIMEOUT_S = 30.0  # answers are waited for, 10 s, or 15 where there are workers
INVALID = int(Outcome.INVALID)


def main() -> None:
    """Start the stack, run one scenario, stop it all; ends with the exit code of the run."""
    own, more = _split(sys.argv[1:])
    options = _options(own)
    if options.web and "--web-port" not in more and is_listening(_PAGE_PORT):
        sys.exit(f"Port {_PAGE_PORT} is taken: make load-ui ARGS='-- --web-port 8090'")
    with ExitStack() as stack:
        # The key is good for this run only, and in no report.
        key = make_issuer(Path(stack.enter_context(TemporaryDirectory(prefix="edge-load-"))))
        settings = edge_settings(key.parent / "jwks.json")
        running = stack.enter_context(
            running_stack(options.balancer, options.port, settings=settings, is_proxied=True)
        )
        environ = {"LOADTEST_ISSUER_KEY": str(key), **_told(running, options.port)}
        if options.scenario == "chaos":
            environ["LOADTEST_FAULTS"] = "\n".join(_faults(running))
        code = _run(options, more, environ)
        print("Stopping:", flush=True)
    sys.exit(code)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    add_options(parser)
    parser.add_argument("scenario", nargs="?", default="mixed", choices=SCENARIOS)
    parser.add_argument("--profile", default="ci", help="of loadtests/slo.toml (ci)")
    parser.add_argument("--web", action="store_true", help="open locust's web page instead")
    return parser.parse_args(arguments)


def _told(stack: Stack, port: int) -> dict[str, str]:
    """Give what load tests are told of a stack: where it is, and who may."""
    watched = ["edge-1", "edge-2", *(["redis"] if stack.redis_port else [])]
    return {
        "LOCUST_HOST": f"http://127.0.0.1:{port}",
        "LOADTEST_ADMIN": "admin",
        "LOADTEST_ADMIN_PASSWORD_FILE": str(FOLDER / "edge/demo/admin"),
        "LOADTEST_NGINX_URL": _start_forward_auth(stack) if shutil.which("nginx") else "",
        "LOADTEST_WATCH_PIDS": ",".join(str(stack.pid(name)) for name in watched),
    }


def _faults(stack: Stack) -> list[str]:
    """Kill a worker, which its server replaces; let Redis say nothing for a second."""
    faults = [f"a worker is killed=pkill -KILL -P {stack.pid('edge-1')}"]
    if stack.redis_port:
        command = ["redis-cli", "-p", str(stack.redis_port), "client", "pause"]
        faults.append(f"Redis hangs={shlex.join([*command, str(_REDIS_PAUSE_MS)])}")
    return faults


def _start_forward_auth(stack: Stack) -> str:
    """Start an nginx that asks Edge about each request to a service; gives its URL."""
    port = free_port()
    text = (ROOT / "deploy/nginx/forward-auth.conf").read_text() + _SERVICE
    ports = {"8000": stack.edges[0], "8001": stack.edges[1], "9000": free_port()}
    config = with_ports(text, ports).replace("listen 8080", f"listen 127.0.0.1:{port}")
    start_nginx(stack, "forward-auth", config, partial(is_listening, port))
    return f"http://127.0.0.1:{port}"


def _run(options: argparse.Namespace, more: list[str], environ: Mapping[str, str]) -> int:
    """Run it to its end, with a session of its own: Ctrl-C is for us."""
    command = [sys.executable, "-m", "loadtests", options.scenario, "--profile", options.profile]
    process = subprocess.Popen(
        [*command, *(["--web"] if options.web else []), *more],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        return end(process)


def end(process: subprocess.Popen[bytes], timeout_s: float = _JUDGE_TIMEOUT_S) -> int:
    """Have it judge what it has; at a second Ctrl-C, or after long, end it and its workers.

    A shell lets what it starts in the background ignore Ctrl-C, so it may not hear of it.
    """
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(timeout_s)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return INVALID


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Divide at `--`, which stays with what is handed on."""
    place = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place:]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # while the stack starts or stops
        sys.exit(INVALID)
