"""`GET /.well-known/oauth-authorization-server` after RFC 8414."""

from typing import Any

import httpx
import msgspec
import pytest

from edge.settings import Settings
from tests.support.app import RunningApp, running_service
from tests.support.oauth import add_client

PATH = "/.well-known/oauth-authorization-server"


async def metadata_of(app: RunningApp, path: str = PATH) -> dict[str, Any]:
    answer = await app.http.get(path)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_the_metadata_says_what_there_is(app: RunningApp) -> None:
    """Section 2: every member that applies, and none that does not."""
    answer = await app.http.get(PATH)
    issuer = app.edge.settings.base_url
    with_secret = ["client_secret_basic", "client_secret_post"]

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.json() == {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["password", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["none", *with_secret],
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": ["none", *with_secret],
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": with_secret,
        "scopes_supported": ["admin", "moderate", "profile"],
    }


async def test_every_endpoint_that_is_named_is_there(app: RunningApp) -> None:
    """Whatever ends in `_endpoint` or `_uri` answers, as what it says it is."""
    metadata = await metadata_of(app)
    client = await add_client(app, "billing", scopes=["profile"])
    assert client.secret is not None
    called = 0
    for name, url in metadata.items():
        if name.endswith(("_endpoint", "_uri")):
            path = httpx.URL(url).path
            assert url == app.edge.settings.base_url + path
            called += 1
            if name == "jwks_uri":
                assert (await app.http.get(path)).json()["keys"]
            elif name == "token_endpoint":
                assert await client.sign_in()
            else:
                assert (await client.post(path, token="x")).status_code == 200

    assert called == 4


@pytest.mark.parametrize("grant", ["password", "refresh_token", "client_credentials"])
async def test_only_grants_that_are_enabled_are_named(settings: Settings, grant: str) -> None:
    """A grant type is in the list exactly when `/token` knows it."""
    off = msgspec.structs.replace(settings.tokens, password_grant=False)
    for tokens in (settings.tokens, off):
        async with running_service(msgspec.structs.replace(settings, tokens=tokens)) as app:
            is_named = grant in (await metadata_of(app))["grant_types_supported"]
            answer = await app.http.post("/token", data={"grant_type": grant})
            assert (answer.json()["error"] != "unsupported_grant_type") is is_named


async def test_the_ways_to_authenticate_that_are_named_work(app: RunningApp) -> None:
    """`none`, Basic and post body each let the client in that they are for."""
    metadata = await metadata_of(app)
    machine = await add_client(app, "machine")
    phone = await add_client(app, "phone", is_confidential=False)
    assert machine.secret is not None
    basic = httpx.BasicAuth(machine.id, machine.secret)
    ways: dict[str, tuple[dict[str, str], httpx.Auth]] = {
        "none": ({"client_id": phone.id}, httpx.Auth()),
        "client_secret_basic": ({}, basic),
        "client_secret_post": (
            {"client_id": machine.id, "client_secret": machine.secret},
            httpx.Auth(),
        ),
    }
    for endpoint, path in (("revocation", "/oauth/revoke"), ("introspection", "/oauth/introspect")):
        for way, (form, auth) in ways.items():
            is_named = way in metadata[f"{endpoint}_endpoint_auth_methods_supported"]
            answer = await app.http.post(path, data={**form, "token": "x"}, auth=auth)
            assert (answer.status_code == 200) is is_named, (endpoint, way)


async def test_no_member_is_an_empty_array(settings: Settings) -> None:
    """Section 3.2: members with zero elements are omitted, `response_types_supported` with them."""
    access = msgspec.structs.replace(settings.access, scopes={})
    async with running_service(msgspec.structs.replace(settings, access=access)) as app:
        metadata = await metadata_of(app)

    assert all(metadata.values())
    assert "scopes_supported" not in metadata
    assert "response_types_supported" not in metadata


async def test_the_path_of_the_issuer_comes_last(settings: Settings) -> None:
    """Section 3.1: the well-known part is inserted between host and path, and only there."""
    issuer = "https://id.example.com/tenants/one"
    async with running_service(msgspec.structs.replace(settings, issuer=issuer)) as app:
        metadata = await metadata_of(app, f"{PATH}/tenants/one")
        assert metadata["issuer"] == issuer
        assert metadata["token_endpoint"] == f"{issuer}/token"
        assert (await app.http.get(PATH)).status_code == 404
        assert (await app.http.get(f"/tenants/one{PATH}")).status_code == 404
