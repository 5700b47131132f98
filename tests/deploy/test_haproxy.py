"""HAProxy alone: what becomes of an action that fails."""

import pytest

from tests.support.balancers import KINDS, running_balancer
from tests.support.echo import Echo
from tests.support.fleet import Fleet
from tests.support.raw_http import ask, code_of

pytestmark = pytest.mark.server


def test_an_action_that_fails_lets_nobody_through(fleet: Fleet, service: Echo) -> None:
    """HAProxy goes on with the next line then, and so that one refuses."""
    broken = {"core.httpclient()": "core.nothing()"}
    before = len(service.heard)
    with running_balancer(
        KINDS["haproxy"], "forward-auth", fleet.ports, service.port, breaking=broken
    ) as running:
        answer = ask(running.port, b"/livez")
    assert (answer.status, code_of(answer)) == (503, "edge_unavailable")
    assert len(service.heard) == before
