"""Clients of a running Edge, and what they send to its OAuth endpoints."""

from collections.abc import Mapping
from typing import Any

import httpx

from edge.accounts.clients import ClientWithSecret
from tests.support.app import RunningApp
from tests.support.secrets import remember

Answer = httpx.Response
Form = Mapping[str, str]


class OAuthClient:
    """A client that Edge knows; `secret` is None for a public one."""

    def __init__(self, app: RunningApp, client_id: str, secret: str | None) -> None:
        self._app = app
        self.id = client_id
        self.secret = secret

    async def post(self, path: str, **form: str) -> Answer:
        """Send a form as this client, with Basic if it has a secret."""
        if self.secret is not None:
            return await self._app.http.post(path, data=form, auth=(self.id, self.secret))
        return await self._app.http.post(path, data={"client_id": self.id, **form})

    async def login(self, username: str, **form: str) -> dict[str, Any]:
        password = self._app.passwords[username]
        return await self._tokens(
            grant_type="password", username=username, password=password, **form
        )

    async def sign_in(self, **form: str) -> dict[str, Any]:
        """Get a token for the client itself."""
        return await self._tokens(grant_type="client_credentials", **form)

    async def refresh(self, refresh_token: str, **form: str) -> Answer:
        return await self.post(
            "/token", grant_type="refresh_token", refresh_token=refresh_token, **form
        )

    async def revoke(self, token: str, **form: str) -> Answer:
        return await self.post("/oauth/revoke", token=token, **form)

    async def introspect(self, token: str, **form: str) -> Answer:
        return await self.post("/oauth/introspect", token=token, **form)

    async def _tokens(self, **form: str) -> dict[str, Any]:
        answer = await self.post("/token", **form)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens


async def add_client(app: RunningApp, client_id: str, **options: Any) -> OAuthClient:  # noqa: ANN401  # those of `Clients.add`
    """Add a client as `edge clients add` does."""
    added = await app.edge.clients.add(client_id, **options)
    assert isinstance(added, ClientWithSecret), added
    if added.secret is not None:
        remember(added.secret)
    return OAuthClient(app, client_id, added.secret)


def built_in(app: RunningApp) -> OAuthClient:
    return OAuthClient(app, app.edge.clients.built_in.id, None)
