"""SQL that comes in with any string of the API stays a string."""

import base64
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from sqlalchemy import MetaData

from tests.support.app import RunningApp, bearer
from tests.support.injection import (
    PAYLOADS,
    Change,
    Input,
    Tables,
    differences,
    inputs,
    read_schema,
    read_tables,
)
from tests.support.oauth import add_client

# What may stand in most of the places, even as a password, and what nobody knows.
HARMLESS = "zzqx-plain-kettle-of-zzqx-41"
# The same for URLs and heads, which are logged: no password of a run may be in its logs.
HARMLESS_IN_LOGS = HARMLESS[::-1]
GRANTS = ("password", "refresh_token", "client_credentials")
# What comes in beside the OpenAPI document: fields of the head that Edge reads, names in Basic.
LOGIN = ("json", ("username", "password"))
BESIDE = [
    *(
        Input("post", "/login", "header", name, *LOGIN)
        for name in ("User-Agent", "X-Request-Id", "X-Forwarded-For")
    ),
    Input("get", "/users/me", "header", "Authorization"),
    Input("get", "/.well-known/jwks.json", "header", "If-None-Match"),
    Input("get", "/basic-protected", "basic", "username"),
    Input("post", "/token", "basic", "client_id", "form", ("grant_type",)),
]


class Attacker:
    """Makes requests that are good but for one string; who makes them is an administrator."""

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        self.actor: object = None
        self._good: dict[str, Any] = {}
        self.token = ""
        self._count = 0
        self._schema = MetaData()
        self._tables: Tables | None = None
        self._client = {"client_id": "", "client_secret": ""}

    async def prepare(self) -> None:
        """Put in who must not be touched, and the client that requests come from."""
        for name in ("bystander", "another-bystander"):
            await self.app.add_user(name, ["user"])
            await self.app.login(name)
        client = await add_client(
            self.app, "shop", grants=GRANTS, scopes=["profile"], may_introspect=True
        )
        assert client.secret is not None
        self._client = {"client_id": client.id, "client_secret": client.secret}
        self._schema = await read_schema(self.app.edge.database)
        await self.renew()

    async def renew(self) -> None:
        """Begin with an administrator whom no request has changed yet."""
        accounts = self.app.edge.accounts
        if self._count and (before := await accounts.find_by_name(f"actor-{self._count}")):
            await accounts.delete(before)
        self._tables = None
        self._count += 1
        name = f"actor-{self._count}"
        user = await self.app.add_user(name, ["admin"])
        other, own = await self.app.login(name), await self.app.login(name)
        sessions = (await self.app.get("/sessions", own["access_token"])).json()["sessions"]
        password = self.app.passwords[name]
        self.actor, self.token = user.id, own["access_token"]
        self._good = {
            **self._client,
            "user_id": str(user.id),
            "session_id": next(entry["id"] for entry in sessions if not entry["is_current"]),
            "username": name,
            "password": password,
            "old_password": password,
            "new_password": f"{password}-and-more",
            "refresh_token": other["refresh_token"],
            "token": other["refresh_token"],
            "scope": "profile",
            "grant_type": "password",
            "roles": ["admin"],
            "title": "a title",
            "markup": "refuse",
        }

    async def attack(self, place: Input, text: str) -> tuple[set[Change], int]:
        """Make the request; gives what it changed and the status of its answer."""
        before = self._tables or await self._read()
        answer = await self.send(place, text)
        self._tables = await self._read()
        changes = differences(before, self._tables, actor=self.actor)
        if changes:
            await self.renew()
        return changes, answer.status_code

    async def _read(self) -> Tables:
        return await read_tables(self.app.edge.database, self._schema)

    async def send(self, place: Input, text: str) -> httpx.Response:
        """Make the request with the text in this place."""
        if place.name == "cursor":  # a name in base64
            text = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        values = {**self._good, **self._fitting(place)}
        values[place.name] = [text] if place.name == "roles" else text
        path = place.path
        for name in ("user_id", "session_id"):
            path = path.replace(f"{{{name}}}", quote(str(values[name]), safe=""))
        query = f"?{urlencode({place.name: text})}" if place.place == "query" else ""
        return await self.app.http.request(
            place.method,
            path + query,
            headers=[(k.encode(), v.encode()) for k, v in self._head(place, text).items()],
            **self._body(place, values),
        )

    def _fitting(self, place: Input) -> dict[str, Any]:
        """Give the values that let the text of this place come as far as it can."""
        if place.path == "/token" and place.name == "refresh_token":
            return {"grant_type": "refresh_token"}
        if (place.method, place.path) == ("post", "/admin/users"):
            return {"username": f"new-{self._count}"}
        return {}

    def _head(self, place: Input, text: str) -> dict[str, str]:
        if place.place == "basic":
            pair = base64.b64encode(f"{text}:{text}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        head = {} if place.body == "form" else bearer(self.token)
        if place.name == "Authorization":
            return {"Authorization": f"Bearer {text}"}
        return {**head, place.name: text} if place.place == "header" else head

    def _body(self, place: Input, values: dict[str, Any]) -> dict[str, Any]:
        names = {*place.beside, place.name} if place.place == "body" else set(place.beside)
        if place.body == "json":
            return {"json": {name: values[name] for name in names}}
        if place.path == "/token":
            names |= {"username", "password"}
        if place.body == "form" and place.place != "basic":
            names |= self._client.keys()
        return {"data": {name: values[name] for name in names}} if place.body == "form" else {}


def places(app: RunningApp) -> list[Input]:
    return [*inputs(app.served.openapi_schema.to_schema()), *BESIDE]


@pytest.mark.no_cover  # does often what other tests do once
async def test_no_string_becomes_a_statement(app: RunningApp) -> None:
    """An attack changes no more than a harmless string in its place, and fails nowhere."""
    attacker = Attacker(app)
    await attacker.prepare()
    schema = await shape_of(app)
    tried = 0
    for place in places(app):
        good = HARMLESS if place.place == "body" else HARMLESS_IN_LOGS
        harmless, allowed = await attacker.attack(place, good)
        for text in PAYLOADS:
            if place.place == "header" and "\0" in text:
                continue  # no server lets that in
            changes, status = await attacker.attack(place, text)
            assert changes <= harmless, (str(place), text, changes - harmless)
            assert status in {allowed, *range(400, 500)}, (str(place), text)
            tried += 1
    assert await shape_of(app) == schema
    assert tried >= 40 * len(PAYLOADS)


async def test_what_is_stored_is_what_was_sent(app: RunningApp) -> None:
    """A name that looks like SQL is a name, to the last quote."""
    attacker = Attacker(app)
    await attacker.prepare()
    for text in PAYLOADS:
        name = Input("patch", "/admin/users/{user_id}", "body", "full_name", "json")
        answer = await attacker.send(name, text)
        if "\0" in text:
            assert answer.json()["code"] == "full_name_invalid"
        else:
            assert answer.json()["full_name"] == text
            stored = await app.get("/users/me", attacker.token)
            assert stored.json()["full_name"] == text


async def shape_of(app: RunningApp) -> dict[str, list[str]]:
    tables = (await read_schema(app.edge.database)).sorted_tables
    return {table.name: list(table.columns.keys()) for table in tables}
