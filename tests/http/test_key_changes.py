"""Signing keys that somebody else changes while this replica runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import update
from structlog.testing import capture_logs

from edge.settings import Settings
from edge.stores.sql import Database
from edge.stores.tables import signing_keys
from tests.support.app import RunningApp, make_settings, running_service


def slow(tmp_path: Path, database_url: str, **environ: str) -> Settings:
    """Give settings by which a replica hardly ever looks at the keys by itself."""
    return make_settings(tmp_path / "data", database_url, TOKENS_KEY_RELOAD_S="60", **environ)


@asynccontextmanager
async def two_replicas(settings: Settings) -> AsyncIterator[tuple[RunningApp, RunningApp]]:
    """Run two that have looked at the keys, as each does at first, and wait to do so again."""
    async with running_service(settings) as one, running_service(settings) as other:
        for app in (one, other):
            await within_seconds(partial(_waits, app))
        yield one, other


async def _waits(app: RunningApp) -> bool:
    return bool(app.edge.key_reloader._woken._waiters)  # noqa: SLF001  # tells nobody else


def kid_of(app: RunningApp, token: str) -> str:
    claimed = app.edge.verifier.claimed(token.encode())
    assert isinstance(claimed, tuple)
    return claimed[1]


async def rotate_now(app: RunningApp) -> None:
    assert await app.edge.signing_keys.add(app.edge.signing_keys.make(), at_once=True)
    await app.edge.signing_keys.load()


async def within_seconds(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110  # what others see, not an event of ours
            await asyncio.sleep(0.02)


async def test_a_key_that_is_not_known_yet_is_looked_for(tmp_path: Path, database_url: str) -> None:
    """A token signed with a key that another replica made just now is accepted at once."""
    settings = slow(tmp_path, database_url, REVOCATION_BOUND_S="60")
    async with two_replicas(settings) as (one, other):
        await one.add_user("ann")
        assert (await other.get("/users/me", (await one.login("ann"))["access_token"])).is_success
        await rotate_now(one)
        token = (await one.login("ann"))["access_token"]
        assert kid_of(one, token) not in other.edge.key_ring
        assert (await other.get("/users/me", token)).status_code == 200


async def test_a_key_retired_elsewhere_is_heard_of(tmp_path: Path, database_url: str) -> None:
    """Retiring a key reaches the other replicas with the revocations, not at their next look."""
    settings = slow(tmp_path, database_url, REVOCATION_BOUND_S="0.2")
    async with two_replicas(settings) as (one, other):
        await one.add_user("ann")
        token = (await one.login("ann"))["access_token"]
        old = kid_of(one, token)
        assert (await other.get("/users/me", token)).status_code == 200
        await rotate_now(one)
        assert await one.edge.signing_keys.retire(old, at_once=True) is None

        async def is_refused() -> bool:
            answer = await other.get("/users/me", token)
            return answer.status_code == 401 and answer.json()["code"] == "key_unknown"

        await within_seconds(is_refused)


async def test_a_key_older_than_set_gets_a_successor(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    """Automatic rotation adds one pending key, and the log says that Edge did it."""
    async with running_service(slow(tmp_path, database_url)) as app:
        [old] = await app.edge.signing_keys.all()
    async with database.writing() as connection:
        await connection.execute(
            update(signing_keys).values(created_at_ms=old.times.created_at_ms - 86_400_000)
        )
    with capture_logs() as logs:
        settings = slow(tmp_path, database_url, TOKENS_KEY_ROTATION_DAYS="1")
        async with running_service(settings) as app:

            async def is_rotated() -> bool:
                return len(await app.edge.signing_keys.all()) > 1

            await within_seconds(is_rotated)
            first, second = await app.edge.signing_keys.all()
    assert [first.state, second.state] == ["active", "pending"]
    added = [(entry["kid"], entry["by"]) for entry in logs if entry["event"] == "key.added"]
    assert added == [(second.times.kid, "edge")]


async def test_keys_that_cannot_be_opened_are_told_of(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    """What was loaded goes on; an unknown key is then 503, and the log names the trouble once."""
    settings = slow(tmp_path, database_url, REVOCATION_BOUND_S="60")
    async with two_replicas(settings) as (one, other):
        await one.add_user("ann")
        before = (await one.login("ann"))["access_token"]
        await rotate_now(one)
        after = (await one.login("ann"))["access_token"]
        async with database.writing() as connection:
            await connection.execute(update(signing_keys).values(sealed_key="damaged"))
        with capture_logs() as logs:
            answers = [await other.get("/users/me", token) for token in (after, after, before)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json()["code"] == "signing_unavailable"
    [failed] = [entry for entry in logs if entry["event"] == "key.reload_failed"]
    assert "cannot be opened" in failed["reason"]


async def test_what_cannot_be_signed_uses_nothing_up(tmp_path: Path, database_url: str) -> None:
    """While the view of the keys is too old, refresh tokens stay good and no session begins."""
    async with running_service(slow(tmp_path, database_url)) as app:
        await app.add_user("ann")
        held = (await app.login("ann"))["refresh_token"]
        app.edge.key_ring._read_at_s -= 4000  # noqa: SLF001  # as if it had not been read for long
        login = {"username": "ann", "password": app.passwords["ann"]}
        form = {"grant_type": "refresh_token", "refresh_token": held}
        answers = [
            await app.http.post("/login", json=login),
            await app.http.post("/token", data={"grant_type": "password", **login}),
            await app.http.post("/token", data=form),
            await app.http.post("/refresh-token", json={"refresh_token": held}),
        ]
        assert [answer.status_code for answer in answers] == [503] * 4
        assert all("retry-after" in answer.headers for answer in answers)
        await app.edge.signing_keys.load()
        refreshed = await app.http.post("/refresh-token", json={"refresh_token": held})
        assert refreshed.status_code == 200
        sessions = (await app.get("/sessions", refreshed.json()["access_token"])).json()
        assert len(sessions["sessions"]) == 1
