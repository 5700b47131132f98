"""What load balancers do by themselves, on the CPU that is measured."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import jwt

from benchmarks.peers.agreed import AUDIENCE, ISSUER, new_claims
from benchmarks.programs.cpus import measured
from benchmarks.programs.program import (
    HOST,
    find,
    free_port,
    is_answering,
    new_folder,
    running,
)
from benchmarks.programs.served import Served

_HELLO: Final = '{"hello":"you"}'

# Verifies an HS256 token with what HAProxy has for that, and counts its subject for a minute.
_HAPROXY: Final = """
global
    nbthread 1

defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s

frontend clients
    bind {host}:{port}
    http-request return status 200 content-type application/json string '{hello}' if {{ path / }}
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.algorithm) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.issuer) var(txn.bearer),jwt_payload_query('$.iss')
    http-request set-var(txn.audience) var(txn.bearer),jwt_payload_query('$.aud')
    http-request set-var(txn.expiry) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.subject) var(txn.bearer),jwt_payload_query('$.sub')
    http-request set-var(txn.now) date()
    http-request return status 401 unless {{ var(txn.algorithm) -m str HS256 }}
    http-request return status 401 unless {{ var(txn.issuer) -m str {issuer} }}
    http-request return status 401 unless {{ var(txn.audience) -m str {audience} }}
    http-request return status 401 if {{ var(txn.expiry),sub(txn.now) -m int lt 0 }}
    http-request return status 401 unless {{ var(txn.bearer),{verified} 1 }}
    http-request track-sc0 var(txn.subject) table counts
    http-request return status 429 if {{ sc_http_req_rate(0,counts) gt 1000000000 }}
    http-request return status 200 content-type application/json string '{hello}'

backend counts
    stick-table type string len 64 size 100k expire 60s store http_req_rate(60s)
"""


@contextmanager
def nginx() -> Iterator[Served]:
    """Answer 200 to everything."""
    program, port, folder = find("nginx", "apt-get install nginx"), free_port(), new_folder()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"""
        user root;
        daemon off;
        worker_processes 1;
        pid {folder}/pid;
        events {{}}
        http {{
            access_log off;
            keepalive_requests 1000000000;
            {temporary}
            server {{
                listen {HOST}:{port};
                location / {{ default_type application/json; return 200 '{_HELLO}'; }}
            }}
        }}
        """
    )
    command = [program, "-e", "stderr", "-p", str(folder), "-c", f"{folder}/nginx.conf"]
    with running(command, port, measured(), folder=folder, is_up=is_answering("/")) as found:
        yield Served(found)


@contextmanager
def haproxy() -> Iterator[Served]:
    """Answer 200 to good tokens."""
    program, port, folder = find("haproxy", "apt-get install haproxy"), free_port(), new_folder()
    secret = secrets.token_hex(32)
    names = {"host": HOST, "port": port, "hello": _HELLO}
    names["verified"] = f'jwt_verify(txn.algorithm,"{secret}")'
    text = _HAPROXY.format(issuer=ISSUER, audience=AUDIENCE, **names)
    (folder / "haproxy.cfg").write_text(text)
    command = [program, "-db", "-f", f"{folder}/haproxy.cfg"]
    with running(command, port, measured(), folder=folder, is_up=is_answering("/")) as found:
        tokens = [jwt.encode(new_claims(["admin"]), secret, "HS256") for _ in range(64)]
        yield Served(found, tokens)
