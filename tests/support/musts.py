"""What the table of MUSTs needs: an Edge with clients and tokens of all kinds, and the rows."""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import msgspec

from edge.tokens.claims import AccessClaims
from tests.support.app import RunningApp
from tests.support.oauth import OAuthClient, add_client
from tests.support.secrets import remember

FORM: Final = "application/x-www-form-urlencoded"
OAUTH_PATHS: Final = ("/token", "/oauth/revoke", "/oauth/introspect")

# RFC 6749 section 5.2: error and error_description are of these characters.
_ERROR_TEXT: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


class House:
    """A running Edge whose user `ann` has logged in through several clients.

    `values` are what rows may name in braces.
    """

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        self.clients: dict[str, OAuthClient] = {}
        self.values: dict[str, str] = {}

    async def furnish(self) -> None:
        await self.app.add_user("ann", ["user", "moderator"])
        every = ["password", "refresh_token", "client_credentials"]
        scopes = ["profile", "moderate"]
        for client_id, options in (
            ("portal", {"grants": every, "scopes": scopes}),
            ("machine", {"scopes": ["profile"]}),
            ("gateway", {"may_introspect": True}),
            ("phone", {"is_confidential": False, "scopes": scopes}),
            ("tablet", {"is_confidential": False, "scopes": scopes}),
        ):
            client = await add_client(self.app, client_id, **options)
            self.clients[client_id] = client
            self.values[f"{client_id}_secret"] = client.secret or ""
        self.values["password"] = self.app.passwords["ann"]
        for client_id in ("portal", "phone"):
            tokens = await self.clients[client_id].login("ann")
            self.values[f"{client_id}_access"] = tokens["access_token"]
            self.values[f"{client_id}_refresh"] = tokens["refresh_token"]
        gateway = await self.clients["gateway"].sign_in()
        self.values["gateway_access"] = gateway["access_token"]
        self.values["phone_spent"] = await self._spent()

    async def _spent(self) -> str:
        """Give a refresh token whose session has moved on two generations."""
        phone = self.clients["phone"]
        first: str = (await phone.login("ann"))["refresh_token"]
        second = (await phone.refresh(first)).json()["refresh_token"]
        self.values["phone_renewed"] = (await phone.refresh(second)).json()["refresh_token"]
        return first

    def basic(self, user_and_password: str) -> str:
        text = user_and_password.format(**self.values)
        return "Basic " + base64.b64encode(text.encode()).decode()

    async def bearer(self, token: str, path: str = "/bearer-protected") -> httpx.Response:
        return await self.app.get(path, token)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One MUST that one request shows: what is sent, and what is answered.

    In `path`, `body`, `basic` and `headers`, names in braces stand for values of the house.
    `fields` are patterns that header fields match as a whole, None for one that must be missing.
    """

    rfc: int
    section: str
    law: str
    method: str = "POST"
    path: str = "/token"
    body: str = ""
    content_type: str = FORM
    basic: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200
    error: str | None = None
    holds: Mapping[str, Any] = {}
    exactly: Mapping[str, Any] | None = None
    fields: Mapping[str, str | None] = {}

    async def check(self, house: House) -> None:
        answer = await self._send(house)
        assert answer.status_code == self.status, answer.text
        for name, pattern in self.fields.items():
            value = answer.headers.get(name)
            if pattern is None:
                assert value is None, (name, value)
            else:
                assert value is not None, name
                assert re.fullmatch(pattern, value), (name, value)
        if self.error is not None:
            check_oauth_error(answer, self.error)
        if self.holds:
            assert self.holds.items() <= answer.json().items(), answer.text
        if self.exactly is not None:
            assert answer.json() == self.exactly

    async def _send(self, house: House) -> httpx.Response:
        headers = [(name, value.format(**house.values)) for name, value in self.headers]
        if self.basic is not None:
            headers.append(("Authorization", house.basic(self.basic)))
        body = self.body.format(**house.values)
        if self.method != "GET":
            headers.append(("Content-Type", self.content_type))
        path = self.path.format(**house.values)
        return await house.app.http.request(self.method, path, content=body, headers=headers)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One MUST that takes several requests to show."""

    rfc: int
    section: str
    law: str
    check: Callable[[House], Awaitable[None]]


def check_oauth_error(answer: httpx.Response, error: str) -> None:
    """Check the form that every error of the OAuth endpoints has (RFC 6749 section 5.2)."""
    body = answer.json()
    assert body["error"] == error
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(body) <= {"error", "error_description", "error_uri"}
    for text in body.values():
        assert _ERROR_TEXT.fullmatch(text), text


Check = Callable[[House], Awaitable[None]]


def adder(stories: list[Story]) -> Callable[[int, str, str], Callable[[Check], Check]]:
    """Give what adds a story to a table."""

    def must(rfc: int, section: str, law: str) -> Callable[[Check], Check]:
        def add(check: Check) -> Check:
            stories.append(Story(rfc=rfc, section=section, law=law, check=check))
            return check

        return add

    return must


async def refresh_error(house: House, client: str, token: str) -> str | None:
    answer = await house.clients[client].refresh(token)
    error: str | None = answer.json().get("error")
    return error


def decode(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give header and claims of a token, unverified."""
    header, payload, _ = token.split(".")
    padded = [part + "=" * (-len(part) % 4) for part in (header, payload)]
    first, second = [json.loads(base64.urlsafe_b64decode(part)) for part in padded]
    return first, second


def issued_at_s(house: House) -> int:
    """Give when the good token was issued, which is now."""
    now: int = decode(house.values["phone_access"])[1]["iat"]
    return now


def signed(house: House, **changes: Any) -> str:  # noqa: ANN401  # claims of all types
    """Sign the claims of a good token with some of them changed."""
    _, claims = decode(house.values["phone_access"])
    good = msgspec.convert(claims, AccessClaims)
    return house.app.edge.key_ring.sign(msgspec.structs.replace(good, **changes))


def forged(
    house: House,
    header: Mapping[str, object] | bytes | None = None,
    payload: Mapping[str, object] | bytes | None = None,
) -> str:
    """Sign what Edge itself would not: members of a good token changed (None: left out), or bytes.

    The key is Edge's own, so that nothing is wrong with it but what was changed.
    """
    good_header, claims = decode(house.values["phone_access"])
    parts = [
        header if isinstance(header, bytes) else _changed(good_header, header or {}),
        payload if isinstance(payload, bytes) else _changed(claims, payload or {}),
    ]
    signing_input = ".".join(map(encode, parts))
    signer = house.app.edge.key_ring._active().opened.signing  # noqa: SLF001  # it signs only what is right
    token = f"{signing_input}.{encode(signer.sign(signing_input.encode()))}"
    remember(token)
    return token


def _changed(members: Mapping[str, object], changes: Mapping[str, object]) -> bytes:
    every = {**members, **changes}
    return json.dumps({name: every[name] for name in every if every[name] is not None}).encode()


def encode(document: bytes) -> str:
    return base64.urlsafe_b64encode(document).rstrip(b"=").decode()


def joined(header: Mapping[str, object], token: str) -> str:
    """Put another header in front of a token."""
    return f"{encode(json.dumps(header).encode())}.{token.partition('.')[2]}"
