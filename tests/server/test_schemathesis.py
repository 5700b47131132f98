"""The OpenAPI document says what the service does: schemathesis finds no difference."""

import json
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any, Final

import httpx
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.secrets import remember
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

CONFIG: Final = Path(__file__).parents[1] / "support" / "schemathesis.toml"
# All routes that there are; and the administrator has all roles, so that no area stays closed.
ENVIRONMENT: Final = {
    **TEST_ENVIRONMENT,
    "EDGE_ACCESS_ROLE_INCLUDES": '{"admin": ["moderator", "user"]}',
    "EDGE_FILES_ROOT": "served",
}


def parties(server: EdgeServer, folder: Path) -> dict[str, str]:
    """Give who asks and who is asked about: an administrator, a user and a client."""
    admin, user = [(folder / ".edge/demo" / name).read_text().strip() for name in ("admin", "user")]
    added = server.command("clients", "add", "gateway", "--introspect", "--json")
    secret = json.loads(added)["secret"]
    login = httpx.post(f"{server.url}/login", json={"username": "user", "password": user}).json()
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    remember(admin, user, secret)
    return {
        "ADMIN_PASSWORD": admin,
        "CLIENT_ID": "gateway",
        "CLIENT_SECRET": secret,
        "USER_ID": httpx.get(f"{server.url}/users/me", headers=headers).json()["id"],
        "USER_PASSWORD": user,
    }


def run(server: EdgeServer, folder: Path) -> tuple[str, dict[str, Any]]:
    """Run schemathesis; gives what it prints, and its report."""
    config, report = folder / "schemathesis.toml", folder / "report.json"
    config.write_text(Template(CONFIG.read_text()).substitute(parties(server, folder)))
    program = Path(sys.executable).with_name("schemathesis")
    ended = subprocess.run(
        [
            *(program, "--config-file", config, "run", f"{server.url}/openapi.json"),
            *("--checks=all", "--report=json", f"--report-json-path={report}"),
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.stdout, json.loads(report.read_text())


@pytest.mark.timeout(300)  # half a minute, on a machine that does nothing else
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """All its checks, over all operations, hold in 2,000 cases."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "a.txt").write_text("a file")
    with EdgeServer(ENVIRONMENT, tmp_path, "--demo") as server:
        output, report = run(server, tmp_path)

    assert report["exit_code"] == 0, output
    assert report["operations"]["tested"] == report["operations"]["total"] >= 30
    assert report["test_cases"]["generated"] >= 2000
    assert report["auth"]["reauth_broke"] is False
