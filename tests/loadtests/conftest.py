"""One Edge for all load tests of a file, which trusts the generator."""

import json
from collections.abc import Iterator

import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.load_runs import Generator
from tests.support.server import EdgeServer

# Of a key: so low that it is met within seconds.
LIMIT = 40
POLICY = {"name": "principal", "limit": LIMIT, "window_s": 60, "partition": ["principal"]}


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    return Generator(tmp_path_factory.mktemp("generator"))


@pytest.fixture(scope="module")
def edge(generator: Generator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    environment = {
        **TEST_ENVIRONMENT,
        **generator.edge,
        "EDGE_PROXIES_TRUSTED": "127.0.0.1",
        "EDGE_RATELIMIT_POLICIES": json.dumps([POLICY]),
    }
    with EdgeServer(environment, tmp_path_factory.mktemp("edge"), "--demo") as server:
        yield server
