"""Signing keys at rest, on every database: one active, sealed, the same after a restart."""

import asyncio
import base64
import json
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from joserfc import jwe
from joserfc.jwk import OctKey
from sqlalchemy import update

from edge.composition import Edge
from edge.settings import Settings, SettingsError
from edge.stores.sql import Database
from edge.stores.tables import revocations, signing_keys
from edge.tokens.jose.sealing import KeySealer
from edge.tokens.signing_key import SealedKey
from edge.tokens.sql.signing_keys import SqlSigningKeys
from tests.support.app import make_settings
from tests.support.secrets import remember
from tests.support.stores import row_of, rows_of


@pytest.fixture
def keys(database: Database) -> SqlSigningKeys:
    return SqlSigningKeys(database)


@pytest.fixture
def sealer() -> KeySealer:
    return KeySealer([secrets.token_bytes(32)])


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path / "edge-data", database_url)


async def kept(keys: SqlSigningKeys) -> list[SealedKey]:
    return [key.sealed for key in (await keys.all()).keys]


def new_secret_key() -> str:
    key = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    remember(key)
    return key


async def test_a_stored_key_comes_back_as_it_was(keys: SqlSigningKeys, sealer: KeySealer) -> None:
    """What is stored is what is read, and it opens to the key it is named after."""
    assert await kept(keys) == []
    sealed = sealer.generate("ES256")
    assert await keys.add_first(sealed)
    assert await kept(keys) == [sealed]
    opened = sealer.open(sealed)
    assert opened.signing.kid == opened.verifying.kid == opened.verifying.thumbprint == sealed.kid


async def test_of_twenty_first_starts_one_makes_the_key(
    keys: SqlSigningKeys, sealer: KeySealer, database: Database
) -> None:
    """Of 20 replicas that start on an empty database, one stores its key and all load that one."""
    all_saw_none = asyncio.Barrier(20)

    async def replica() -> tuple[bool, tuple[str | None, ...]]:
        assert await kept(keys) == []
        await all_saw_none.wait()
        is_ours = await keys.add_first(sealer.generate("ES256"))
        return is_ours, tuple(sealer.open(key).signing.kid for key in await kept(keys))

    outcomes = await asyncio.gather(*(replica() for _ in range(20)))
    assert Counter(is_ours for is_ours, _ in outcomes) == {True: 1, False: 19}
    stored = await row_of(database, signing_keys)
    assert {kids for _, kids in outcomes} == {(stored["kid"],)}
    assert 0 <= stored["activates_at_ms"] - stored["created_at_ms"] < 1000
    assert stored["retires_at_ms"] is None


async def test_the_stored_row_shows_no_private_part(
    keys: SqlSigningKeys, database: Database
) -> None:
    """Nothing in the row, as it stands or decoded, holds the private number of the key."""
    secret = secrets.token_bytes(32)
    sealer = KeySealer([secret])
    sealed = sealer.generate("ES256")
    await keys.add_first(sealed)
    private = str(json.loads(decrypted(sealed, secret))["d"])
    remember(private)
    number = base64.urlsafe_b64decode(private + "=")
    row = await row_of(database, signing_keys)
    assert all(private not in str(value) for value in row.values())
    for part in row["sealed_key"].split("."):
        assert number not in base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def decrypted(sealed: SealedKey, secret: bytes) -> bytes:
    opened = jwe.decrypt_compact(
        sealed.sealed_key, OctKey.import_key(secret), algorithms=["dir", "A256GCM"]
    )
    return opened.plaintext or b""


async def test_a_key_sealed_before_an_exchange_of_secret_keys_opens() -> None:
    """A sealer opens what the previous secret key sealed, and seals with the current one."""
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    sealed = KeySealer([old]).generate("ES256")
    assert KeySealer([new, old]).open(sealed).signing.kid == sealed.kid
    newer = KeySealer([new, old]).generate("ES256")
    assert KeySealer([new]).open(newer).signing.kid == newer.kid
    with pytest.raises(ValueError, match="EDGE_SECRET_KEY"):
        KeySealer([old]).open(newer)


async def test_sealing_is_never_the_same_twice(sealer: KeySealer) -> None:
    """Two keys differ in name, and their sealed forms share no initialisation vector."""
    first, second = sealer.generate("ES256"), sealer.generate("ES256")
    assert first.kid != second.kid
    assert first.sealed_key.split(".")[2] != second.sealed_key.split(".")[2]


async def test_another_secret_key_opens_nothing(keys: SqlSigningKeys, sealer: KeySealer) -> None:
    """A key sealed under one secret key is a ValueError, naming the setting, under another."""
    await keys.add_first(sealer.generate("ES256"))
    [stored] = await kept(keys)
    with pytest.raises(ValueError, match="EDGE_SECRET_KEY"):
        KeySealer([secrets.token_bytes(32)]).open(stored)


_DAMAGES: dict[str, Callable[[str], str]] = {
    "emptied": lambda text: text[:0],
    "not a sealed key": lambda text: text.replace(".", ""),
    "cut short": lambda text: text[:-8],
    "another tag": lambda text: text[:-22] + "A" * 22,
    "another ciphertext": lambda text: text[:-30] + "A" * 8 + text[-22:],
    "another header": lambda text: "x" + text[1:],
}


@pytest.mark.parametrize("damage", _DAMAGES)
async def test_a_damaged_key_is_not_opened(sealer: KeySealer, damage: str) -> None:
    """A sealed key of which anything was changed is a ValueError, never half a key."""
    sealed = sealer.generate("ES256")
    damaged = msgspec.structs.replace(sealed, sealed_key=_DAMAGES[damage](sealed.sealed_key))
    with pytest.raises(ValueError, match=sealed.kid):
        sealer.open(damaged)


async def test_a_key_is_not_opened_under_another_name(sealer: KeySealer) -> None:
    """Swapping two rows' sealed keys, which needs no secret, gives no key for either name."""
    first, second = sealer.generate("ES256"), sealer.generate("ES256")
    swapped = SealedKey(kid=first.kid, algorithm=first.algorithm, sealed_key=second.sealed_key)
    with pytest.raises(ValueError, match=first.kid):
        sealer.open(swapped)


async def kid_of_a_run(settings: Settings) -> str:
    edge = Edge(settings)
    async with edge.running():
        [key] = json.loads(edge.key_ring.jwk_set.body)["keys"]
        return str(key["kid"])


async def test_a_restart_keeps_the_key(settings: Settings) -> None:
    """Edge started twice with one data folder and one database signs with the same key."""
    assert await kid_of_a_run(settings) == await kid_of_a_run(settings)


async def test_replicas_that_start_together_share_the_key(settings: Settings) -> None:
    """Five Edges that start at once on one empty database and data folder all load one key."""
    kids = await asyncio.gather(*(kid_of_a_run(settings) for _ in range(5)))
    assert len(set(kids)) == 1


async def test_a_changed_secret_key_stops_the_start(tmp_path: Path, database_url: str) -> None:
    """Edge with another secret key than its database's does not start and says which setting."""
    first, second = (
        make_settings(tmp_path, database_url, SECRET_KEY=new_secret_key()) for _ in range(2)
    )
    kid = await kid_of_a_run(first)
    with pytest.raises(SettingsError) as caught:
        await kid_of_a_run(second)
    assert [finding.variable for finding in caught.value.findings] == ["EDGE_SECRET_KEY"]
    assert await kid_of_a_run(first) == kid


async def test_a_successor_signs_after_the_delay_and_ends_those_before_it(
    keys: SqlSigningKeys, sealer: KeySealer
) -> None:
    """Adding sets when the new key signs, and when all that had no end yet end; in one step."""
    first, second, third = (sealer.generate("ES256") for _ in range(3))
    await keys.add_first(first)
    assert await keys.add(second, delay_ms=1_000_000, retirement_ms=50_000)
    assert await keys.add(third, delay_ms=2_000_000, retirement_ms=70_000)
    stored = await keys.all()
    times = {key.times.kid: key.times for key in stored.keys}
    assert [key.sealed for key in stored.keys] == [first, second, third]
    one, two, three = (times[key.kid] for key in (first, second, third))
    assert abs(two.activates_at_ms - two.created_at_ms - 1_000_000) < 1000
    assert one.retires_at_ms is not None
    assert abs(one.retires_at_ms - two.activates_at_ms - 50_000) < 1000
    assert two.retires_at_ms is not None
    assert abs(two.retires_at_ms - three.activates_at_ms - 70_000) < 1000
    assert three.retires_at_ms is None


async def test_two_keys_have_no_name_in_common(keys: SqlSigningKeys, sealer: KeySealer) -> None:
    """Adding a key that is there changes nothing, not even when the others end."""
    sealed = sealer.generate("ES256")
    await keys.add_first(sealed)
    before = (await keys.all()).keys
    assert not await keys.add(sealed, delay_ms=0, retirement_ms=0)
    assert (await keys.all()).keys == before


async def test_of_twenty_replicas_that_find_it_is_time_one_rotates(
    keys: SqlSigningKeys, sealer: KeySealer
) -> None:
    """Automatic rotation adds one key, however many replicas notice at the same time."""
    await keys.add_first(sealer.generate("ES256"))
    start = asyncio.Barrier(20)

    async def replica() -> bool:
        key = sealer.generate("ES256")
        await start.wait()
        # All twenty have seen that the newest key is too old; each looks again in its turn.
        return await keys.add(key, delay_ms=0, retirement_ms=0, unless_newer_than_ms=60_000)

    assert not any(await asyncio.gather(*(replica() for _ in range(20))))
    await make_older(keys, 61_000)
    start = asyncio.Barrier(20)
    assert Counter(await asyncio.gather(*(replica() for _ in range(20)))) == {True: 1, False: 19}
    assert len((await keys.all()).keys) == 2


async def make_older(keys: SqlSigningKeys, by_ms: int) -> None:
    async with keys._database.writing() as connection:  # noqa: SLF001  # the fixture's
        await connection.execute(
            update(signing_keys).values(created_at_ms=signing_keys.c.created_at_ms - by_ms)
        )


async def test_a_change_is_told_to_the_other_replicas(database: Database) -> None:
    """Adding and retiring put the key into the change list, and announce it when it is there."""
    told: list[set[str]] = []

    async def announce() -> None:
        told.append({row["subject"] for row in await rows_of(database, revocations, kind="key")})

    keys, sealer = SqlSigningKeys(database, announce=announce), KeySealer([b"k" * 32])
    first, second = sealer.generate("ES256"), sealer.generate("ES256")
    await keys.add_first(first)
    await keys.add(second, delay_ms=0, retirement_ms=1000)
    await keys.retire(first.kid)
    assert told == [{second.kid}, {second.kid, first.kid}]
    stored = await keys.all()
    [retired] = [key for key in stored.keys if key.sealed == first]
    assert retired.times.is_retired(stored.read_at_ms)


async def test_sealing_anew_does_not_overwrite_a_change(
    keys: SqlSigningKeys, sealer: KeySealer
) -> None:
    """A sealed form is replaced only while it is the one that was read."""
    old = sealer.generate("ES256")
    newer, newest = sealer.reseal(old), sealer.reseal(old)
    await keys.add_first(old)
    await keys.replace(old, newer)
    await keys.replace(old, newest)
    assert await kept(keys) == [newer]
