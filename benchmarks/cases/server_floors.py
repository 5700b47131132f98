"""The least that a server can cost: saying hello, and what load balancers do by themselves."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from benchmarks.case import Case
from benchmarks.programs.asking import alone, by_admins, by_anybody, server_cases
from benchmarks.programs.balancers import haproxy, nginx
from benchmarks.programs.hosts import on_granian
from benchmarks.programs.served import Served
from benchmarks.programs.shared import Shared


def _hello(name: str, interface: str = "asgi") -> Shared[Served]:
    return alone(partial(on_granian, f"benchmarks.floors.hello:{name}", interface=interface))


CASES: Final[Sequence[Case]] = [
    *server_cases("floor/asgi", _hello("asgi"), by_anybody("/")),
    *server_cases("floor/rsgi", _hello("rsgi", "rsgi"), by_anybody("/")),
    *server_cases("floor/litestar", _hello("litestar"), by_anybody("/")),
    *server_cases("floor/nginx", Shared(nginx), by_anybody("/")),
    *server_cases("floor/haproxy-jwt", Shared(haproxy), by_admins("/orders/7")),
]
