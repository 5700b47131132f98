"""A Prometheus of its own, which scrapes one Edge each half second."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.ports import free_port
from tests.support.requirements import missing

_CONFIG = """
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: edge
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def program(name: str) -> str:
    """Find `prometheus` or `promtool`."""
    return shutil.which(name) or missing("prometheus", "apt-get install prometheus")


class Prometheus:
    """Answers queries about what it has scraped."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/v1", timeout=10)

    def query(self, expression: str) -> list[Any]:
        """Give the series that an expression comes to now, without those that are no number."""
        answer = self._ask("/query", query=expression)
        return [one for one in answer["result"] if one["value"][1] != "NaN"]

    def rules(self) -> list[Any]:
        groups = self._ask("/rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def is_ready(self) -> bool:
        try:
            return len(self.query("edge_workers offset 1s")) == 1
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._http.close()

    def _ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401  # JSON
        answer = self._http.get(path, params=parameters).raise_for_status().json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]


@contextmanager
def running_prometheus(metrics_port: int, rules: Path, folder: Path) -> Iterator[Prometheus]:
    """Start one that scrapes 127.0.0.1 at that port."""
    config, address = folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
    config.write_text(_CONFIG.format(rules=rules, port=metrics_port))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address={address}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    found = Prometheus(f"http://{address}")
    try:
        yield found
    finally:
        found.close()
        process.terminate()
        process.wait(20)
