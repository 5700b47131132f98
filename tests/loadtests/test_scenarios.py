"""Each scenario, for seconds and slowly, on a real Edge: it asks as it says, and Edge is right."""

import pytest

from tests.support.load_runs import Generator
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server


def test_steady_verify(edge: EdgeServer, generator: Generator) -> None:
    """Good tokens are let in, bad ones are not, and all that locust writes is there."""
    report = generator.folder / "html"
    run = generator.run(
        *("steady_verify", edge.url, "-u", "3", "-r", "3", "-t", "3s", "--rate-scale", "2"),
        *("--html", str(report / "locust.html"), "--csv", str(report / "locust")),
    )
    assert run.code == 0, run.output
    assert run.verdict["outcome"] == "passed"
    assert run.verdict["rows"]["verify"]["requests"] > 100
    law = "verify: good tokens are let in, bad ones are not"
    assert run.verdict["checks"][law]["held"] == run.verdict["rows"]["verify"]["requests"]
    assert "| ok | validity: workers" in (run.folder / "verdict.md").read_text()
    assert (report / "locust.html").stat().st_size > 100_000
    assert (report / "locust_stats.csv").exists()
