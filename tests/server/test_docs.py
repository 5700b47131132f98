"""The docs say what is true."""

import re
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner
from litestar import Litestar

from edge import create_app
from edge.cli import main
from edge.http.problems import _TITLES
from edge.settings import load
from edge.telemetry import events
from edge.telemetry.catalogue import METRICS
from tests.support.app import running

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_the_table_of_settings_is_that_of_the_code() -> None:
    """`make docs` was run after the last change of a setting."""
    table = CliRunner().invoke(main, ["settings", "--reference"]).stdout

    assert (DOCS / "settings.md").read_text().endswith(table)


def test_every_event_is_documented() -> None:
    """Whoever watches the log finds each name in docs/events.md."""
    page = (DOCS / "events.md").read_text()
    kinds = [
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.SecurityEvent)
    ]
    names = {kind.name for kind in kinds if hasattr(kind, "name")}

    assert len(names) >= 13
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    """Whoever watches Edge finds each metric in docs/metrics.md, with its kind and its labels."""
    page = (DOCS / "metrics.md").read_text()
    rows = re.findall(r"^\| `(edge_\w+)` \| (\w+)[^|]*\| ([^|]*)\|", page, re.MULTILINE)
    documented = {(name, kind, tuple(re.findall(r"\w+", labels))) for name, kind, labels in rows}

    assert documented == {(one.name, one.kind, one.labels) for one in METRICS}


def test_every_reason_a_client_may_meet_is_documented() -> None:
    """Whoever writes a client finds each code in docs/api.md."""
    page = (DOCS / "api.md").read_text()
    # A stranger's scheme counts as no credentials, so this one never reaches a client.
    codes = {reason.value for reason in _TITLES} - {"scheme_unsupported"}

    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_every_route_is_documented(tmp_path: Path) -> None:
    """The table of routes in docs/api.md has all of them, but for Litestar's own and files."""
    page = (DOCS / "api.md").read_text()
    settings = load({"EDGE_DATA_DIR": str(tmp_path)}).or_raise()
    paths = {route.path for route in create_app(settings).routes}
    others = ("/schema", "/docs/")
    ours = {re.sub(r"{\w+:str}", "{id}", path) for path in paths if not path.startswith(others)}

    assert {path for path in ours if f"{path}`" not in page} == set()


async def test_the_example_app_protects_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/examples/own_app.py, shown in docs/plugin.md, lets in and keeps out as it says."""
    source = DOCS / "examples" / "own_app.py"
    monkeypatch.setenv("EDGE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("EDGE_TEST_REQUIRE", raising=False)
    app = runpy.run_path(str(source))["app"]
    assert isinstance(app, Litestar)
    async with running(app) as own:
        await own.add_user("boss", ["admin"])
        await own.add_user("clerk")
        boss, clerk = [(await own.login(name))["access_token"] for name in ("boss", "clerk")]
        by_basic = await own.http.get("/export", auth=("clerk", own.passwords["clerk"]))

        assert (await own.get("/prices")).json() == {"apple": 3}
        assert (await own.get("/reports")).status_code == 401
        assert (await own.get("/reports", clerk)).status_code == 200
        assert (await own.get("/reports/all", clerk)).status_code == 403
        assert (await own.get("/reports/all", boss)).status_code == 200
        assert by_basic.text == "name;amount"
    assert source.read_text() in (DOCS / "plugin.md").read_text()
