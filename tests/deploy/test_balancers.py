"""What holds of each load balancer, be Edge the API behind it or asked about a service."""

import threading
from collections.abc import Iterator

import psutil
import pytest

from tests.support.balancers import Balancer, Kind, Role, running_balancer
from tests.support.echo import Echo
from tests.support.fleet import Fleet
from tests.support.ports import free_port
from tests.support.raw_http import ask, asked, code_of, take_answer

pytestmark = pytest.mark.server

# What a client might say of where it is, before an address.
SAID = (
    "X-Forwarded-For: ",
    "x-forwarded-for: 127.0.0.1, ",
    "X_Forwarded_For: ",
    "X.Forwarded.For: ",
    "Forwarded: for=",
    "X-Real-IP: ",
)
WINDOW_S = 3600


@pytest.fixture(scope="module", params=["api", "forward-auth"])
def role(request: pytest.FixtureRequest) -> Role:
    found: Role = request.param
    return found


@pytest.fixture(scope="module")
def balancer(kind: Kind, role: Role, fleet: Fleet, service: Echo) -> Iterator[Balancer]:
    with running_balancer(kind, role, fleet.ports, service.port) as running:
        yield running


@pytest.mark.parametrize("said", SAID)
def test_a_client_cannot_choose_its_address(balancer: Balancer, client: str, said: str) -> None:
    """Who asks too often is told when to come back, whatever address it names each time."""
    answers = [
        ask(balancer.port, b"/few", [f"{said}6.6.6.{number}"], client=client) for number in range(4)
    ]
    statuses = [answer.status for answer in answers]
    if "_" in said and set(statuses) == {400}:
        return  # Envoy refuses all fields with one
    assert statuses[0] == statuses[1] != 429
    assert statuses[2:] == [429, 429]
    assert code_of(answers[3]) == "rate_limited"
    assert 0 < int(answers[3].fields["retry-after"]) <= WINDOW_S * 1.1


def test_connections_are_kept(balancer: Balancer, fleet: Fleet, service: Echo) -> None:
    """To Edge and to the service: a request does not cost three handshakes."""
    connections, sockets = service.connections, sockets_to(fleet.ports)
    with asked(balancer.port, b"/livez") as connection:
        assert take_answer(connection).status == 200
        for _ in range(50):
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: edge.test\r\n\r\n")
            assert take_answer(connection).status == 200
    assert service.connections - connections < 10
    assert sockets_to(fleet.ports) - sockets < 10


def sockets_to(ports: tuple[int, ...]) -> int:
    """Count connections to these ports, closed ones too: they are remembered for a minute."""
    return sum(
        bool(found.raddr) and found.raddr.port in ports for found in psutil.net_connections("tcp")
    )


def test_without_edge_nobody_gets_through(kind: Kind, role: Role, service: Echo) -> None:
    """503, never 500 and never the service; not even where nobody would be asked who they are."""
    before = len(service.heard)
    with running_balancer(kind, role, (free_port(), free_port()), service.port) as alone:
        for path in (b"/livez", b"/staff", b"/livez"):
            answer = ask(alone.port, path)
            assert answer.status == 503
            if kind.can_be_told:
                assert code_of(answer) == "edge_unavailable"
                assert answer.fields["retry-after"] == "1"
    assert len(service.heard) == before


def test_a_replica_may_die(kind: Kind, role: Role, fleet: Fleet, service: Echo) -> None:
    """No request that may be repeated fails, neither when it dies nor after."""
    statuses: list[int] = []
    is_dead = threading.Event()

    def work(port: int) -> None:
        after = 0
        while after < 50:
            after += is_dead.is_set()
            statuses.append(ask(port, b"/livez").status)

    with (
        fleet.new_replica() as doomed,
        running_balancer(kind, role, (doomed.port, fleet.ports[0]), service.port) as running,
    ):
        workers = [threading.Thread(target=work, args=(running.port,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        doomed.wait_until(lambda: len(statuses) > 100)
        doomed.kill()
        is_dead.set()
        for worker in workers:
            worker.join()
    assert set(statuses) == {200}
