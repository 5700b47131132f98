"""OAuth clients that people really use, against a running Edge: what they do by the book works.

Each logs a user in, refreshes, asks about tokens, revokes them, and verifies by the JWK Set.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from tests.support.app import TEST_ENVIRONMENT
from tests.support.requirements import missing
from tests.support.secrets import remember
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

CLIENTS: Final = Path(__file__).parents[1] / "clients"
_OLDEST_NODE: Final = 20


class Service:
    """A running Edge with a user and a confidential client that may do everything."""

    def __init__(self, server: EdgeServer, folder: Path) -> None:
        self.url = server.url
        self.metadata = httpx.get(f"{self.url}/.well-known/oauth-authorization-server").json()
        self.username = "user"
        self.password = (folder / ".edge/demo/user").read_text().strip()
        options = ["--grant=password", "--grant=refresh_token", "--grant=client_credentials"]
        added = server.command("clients", "add", "app", *options, "--scope=profile", "--json")
        self.client_id, self.secret = "app", json.loads(added)["secret"]
        remember(self.password, self.secret)

    @property
    def user(self) -> Mapping[str, str]:
        return {"username": self.username, "password": self.password}

    def verify(self, token: str) -> dict[str, Any]:
        """Verify as services do that use PyJWT, keys fetched from the running Edge."""
        key = jwt.PyJWKClient(self.metadata["jwks_uri"]).get_signing_key_from_jwt(token)
        options: Any = {"require": ["exp", "iat", "iss", "aud", "sub"]}
        return jwt.decode(
            token, key, algorithms=["ES256"], audience="edge", issuer=self.url, options=options
        )


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("real-clients")
    environment = dict(TEST_ENVIRONMENT)
    server = EdgeServer(environment, folder, "--demo")
    environment["EDGE_ISSUER"] = server.url
    with server:
        yield Service(server, folder)


def noted(tokens: Mapping[str, Any]) -> Mapping[str, Any]:
    remember(*(tokens[name] for name in ("access_token", "refresh_token") if name in tokens))
    return tokens


def test_authlib(service: Service) -> None:
    """Authlib's session, which finds the endpoints in the metadata."""
    ends = service.metadata
    with AuthlibSession(
        service.client_id,
        service.secret,
        token_endpoint_auth_method="client_secret_basic",  # the name of a method
        token_endpoint=ends["token_endpoint"],
    ) as client:
        first = noted(dict(client.fetch_token(ends["token_endpoint"], **service.user)))
        second = noted(dict(client.refresh_token(ends["token_endpoint"])))
        assert client.get(f"{service.url}/users/me").json()["username"] == service.username
        assert (
            service.verify(first["access_token"])["sid"]
            == service.verify(second["access_token"])["sid"]
        )
        ask = ends["introspection_endpoint"]
        assert client.introspect_token(ask, token=second["access_token"]).json()["active"]
        revoked = client.revoke_token(
            ends["revocation_endpoint"],
            token=second["refresh_token"],
            token_type_hint="refresh_token",  # the name of a type
        )
        assert revoked.status_code == 200
        assert not client.introspect_token(ask, token=second["access_token"]).json()["active"]
        own = noted(
            dict(client.fetch_token(ends["token_endpoint"], grant_type="client_credentials"))
        )
    assert service.verify(own["access_token"])["sub"] == "client:app"


def test_requests_oauthlib(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests-oauthlib, which builds the requests of RFC 6749 and RFC 7009 by itself."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it wants https
    ends, secret = service.metadata, service.secret
    client = LegacyApplicationClient(service.client_id)
    with OAuth2Session(client=client) as session:
        noted(
            session.fetch_token(
                ends["token_endpoint"],
                client_id=service.client_id,
                client_secret=secret,
                **service.user,
            )
        )
        auth = (service.client_id, secret)
        tokens = noted(session.refresh_token(ends["token_endpoint"], auth=auth))
        assert session.get(f"{service.url}/users/me").status_code == 200
        service.verify(tokens["access_token"])
        url, headers, body = client.prepare_token_revocation_request(
            ends["revocation_endpoint"], tokens["refresh_token"], "refresh_token"
        )
        assert session.post(url, data=body, headers=headers, auth=auth).status_code == 200
        assert session.get(f"{service.url}/users/me").status_code == 401
    with OAuth2Session(client=BackendApplicationClient(service.client_id)) as session:
        own = noted(
            session.fetch_token(
                ends["token_endpoint"], client_id=service.client_id, client_secret=secret
            )
        )
        asked = session.post(
            ends["introspection_endpoint"], data={"token": own["access_token"]}, auth=auth
        )
        assert asked.json()["sub"] == "client:app"


def test_pyjwt_finds_the_key_by_its_id(service: Service) -> None:
    """`PyJWKClient` reads the JWK Set over HTTP; a token of somebody else it refuses."""
    answer = httpx.post(f"{service.url}/login", json=service.user)
    token = noted(answer.json())["access_token"]
    assert service.verify(token)["iss"] == service.url
    stranger = jwt.encode({"sub": "x"}, "s" * 32, headers={"kid": "unknown"})
    with pytest.raises(jwt.PyJWKClientError):
        service.verify(stranger)


def test_oauth4webapi_and_jose_on_node(service: Service, tmp_path: Path) -> None:
    """What a Node service would use: discovery, the grants, introspection, revocation, the keys."""
    for name in ("package.json", "package-lock.json", ".npmrc", "client.mjs"):
        shutil.copy(CLIENTS / name, tmp_path)
    install_packages(tmp_path)
    environment = {
        "PATH": os.environ["PATH"],
        "ISSUER": service.url,
        "CLIENT_ID": service.client_id,
        "CLIENT_SECRET": service.secret,
        "USERNAME": service.username,
        "PASSWORD": service.password,
    }
    done = subprocess.run(
        ["node", "client.mjs"],  # noqa: S607  # the one that was found
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    remember(*seen.pop("tokens"))
    assert seen == {
        "same_user": True,
        "same_session": True,
        "active_before": True,
        "active_after": False,
        "own_subject": "client:app",
    }


def install_packages(folder: Path) -> None:
    """Install what the lock file says; where that is not possible, the test is skipped."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("node", "apt-get install nodejs npm")
    version = subprocess.run(
        ["node", "--version"],  # noqa: S607  # the one that was found
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if int(version.removeprefix("v").partition(".")[0]) < _OLDEST_NODE:
        missing("node", f"Node {_OLDEST_NODE} or later, this is {version.strip()}")
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts"],  # noqa: S607
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        missing("node", f"npm must reach a registry; it said: {done.stderr[-300:]}")
