"""Tokens of trusted issuers, whose servers misbehave in every way there is."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from edge import composition
from edge.tokens import httpx as key_set_over_http
from edge.tokens.revocations import Kind
from tests.support import issuer as manners
from tests.support.app import RunningApp, bearer, make_settings, running_service
from tests.support.fakes import FakeClock
from tests.support.issuer import Manner, Provider, answering, new_key, provider

FIRST, SECOND = "https://first.test", "https://second.test"


def trusted(of: Provider, prefix: str, **fields: object) -> dict[str, object]:
    return {
        "issuer": of.issuer,
        "subject_prefix": prefix,
        "audiences": ["edge"],
        "jwks_url": of.url,
        **fields,
    }


Run = Callable[..., Any]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Give the time of day that Edge is told; its other clocks go on."""
    told = FakeClock()
    monkeypatch.setattr(composition, "time", SimpleNamespace(**{**vars(time), "time": told}))
    return told


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run Edge with these issuers, on SQLite: keys of others are in no database."""
    monkeypatch.setattr(key_set_over_http, "_TIMEOUT_S", 0.3)

    numbers = count()

    @asynccontextmanager
    async def running(*issuers: dict[str, object]) -> AsyncIterator[RunningApp]:
        url = f"sqlite:///{tmp_path / f'edge-{next(numbers)}.db'}"
        settings = make_settings(tmp_path, url, ISSUERS=json.dumps(issuers))
        async with running_service(settings) as app:
            await app.add_user("ann", ["user"])
            yield app

    return running


async def use(app: RunningApp, token: str, path: str = "/bearer-protected") -> httpx.Response:
    return await app.http.get(path, headers=bearer(token))


async def outcome(app: RunningApp, token: str) -> str:
    answer = await use(app, token)
    return "ok" if answer.is_success else f"{answer.status_code} {answer.json()['code']}"


async def test_a_foreign_token_is_accepted_for_what_it_is_mapped_to(run: Run) -> None:
    """Its subject has the prefix; roles and scopes are ours, and what has no entry is dropped."""
    async with provider(FIRST) as first:
        settings = trusted(
            first,
            "first",
            roles_claim="realm_access.roles",
            roles={"staff": "moderator"},
            scopes={"read": "profile"},
        )
        token = first.token(
            realm_access={"roles": ["staff", "admin"]}, scope="read admin", client_id="portal"
        )
        async with run(settings) as app:
            answer = await use(app, token)
            refused = [
                (await use(app, token, path)).json()["code"]
                for path in ("/admin-area", "/users/me", "/sessions")
            ]
    assert answer.json()["subject"] == "first:somebody"
    assert (answer.json()["roles"], answer.json()["scopes"]) == (["moderator"], ["profile"])
    assert refused == ["role_missing", "user_needed", "user_needed"]


async def test_nothing_is_mapped_unless_said(run: Run) -> None:
    """Without maps, roles and scopes that are called like ours are nobody's here."""
    async with provider(FIRST) as first:
        token = first.token(roles=["admin"], scope="profile admin")
        async with run(trusted(first, "first", roles_claim="roles")) as app:
            answer = await use(app, token)
    assert (answer.json()["roles"], answer.json()["scopes"]) == ([], [])


BAD_TOKENS: dict[str, tuple[Callable[[Provider, Provider], str], str]] = {
    "another audience": (lambda one, _: one.token(aud="other"), "audience_mismatch"),
    "no audience": (lambda one, _: one.token(aud=None), "token_malformed"),
    "expired": (lambda one, _: one.token(exp=1_000_000_000), "token_expired"),
    "no expiry": (lambda one, _: one.token(exp=None), "token_malformed"),
    "expiry a fraction": (lambda one, _: one.token(exp=4e9 + 0.5), "token_malformed"),
    "not yet valid": (lambda one, _: one.token(nbf=3_900_000_000), "token_not_yet_valid"),
    "no subject": (lambda one, _: one.token(sub=None), "token_malformed"),
    "an empty subject": (lambda one, _: one.token(sub=""), "token_malformed"),
    "a subject to inject with": (lambda one, _: one.token(sub="a\nb"), "token_malformed"),
    "an ID token": (lambda one, _: one.token(typ="JWT"), "type_mismatch"),
    "a stranger's": (
        lambda one, _: Provider("https://x.test", *one.keys).token(),
        "issuer_unknown",
    ),
    "a stranger's, of an unknown key": (
        lambda _one, _two: Provider("https://x.test", new_key("theirs")).token(),
        "issuer_unknown",
    ),
    "signed by another issuer's key": (
        lambda one, two: one.token(key=two.keys[0]),
        "key_unknown",
    ),
    "signed by a key of the same name": (
        lambda one, _: one.token(key=new_key(str(one.keys[0].kid))),
        "signature_invalid",
    ),
    "said to be Edge's own": (
        lambda one, _: one.token(
            iss="http://127.0.0.1:8000", iat=1, jti="x", client_id="c", epoch=0
        ),
        "key_unknown",
    ),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_bad_token_is_401(run: Run, name: str) -> None:
    """Each thing that can be wrong with a foreign token has the reason that an own one has."""
    make, code = BAD_TOKENS[name]
    async with (
        provider(FIRST) as one,
        provider(SECOND, new_key("k2")) as two,
        run(trusted(one, "first"), trusted(two, "second")) as app,
    ):
        assert await outcome(app, make(one, two)) == f"401 {code}"


async def test_an_algorithm_that_is_not_allowed_is_no_key(run: Run) -> None:
    """A key of the set whose algorithm is not among those of the issuer counts for nothing."""
    rsa = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
    async with (
        provider(FIRST, rsa, new_key("ec")) as first,
        run(trusted(first, "first", algorithms=["ES256"])) as app,
    ):
        assert await outcome(app, first.token(key=rsa, alg="RS256")) == "401 key_unknown"
        assert await outcome(app, first.token()) == "ok"


async def test_unknown_kinds_of_keys_are_passed_over(run: Run) -> None:
    """Keys for encryption, of unknown types and malformed ones do not spoil the rest of the set."""
    async with provider(FIRST) as first:
        first.extra = [
            {"kty": "AKP", "kid": "quantum", "alg": "ML-DSA-44", "pub": "AAAA"},
            {**new_key("enc").as_dict(private=False), "use": "enc"},
            {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
            {"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"},
            {"kid": "no type"},
        ]
        async with run(trusted(first, "first")) as app:
            assert await outcome(app, first.token()) == "ok"


MISBEHAVIOURS: dict[str, Manner] = {
    "HTML": manners.with_html,
    "500": manners.with_an_error,
    "a redirect": manners.with_a_redirect,
    "10 MB": manners.with_ten_megabytes,
    "no length, no end": manners.without_a_length,
    "compressed": manners.compressed,
    "never": manners.never,
    "drop by drop": manners.drop_by_drop,
    "half": manners.half,
    "hanging up": manners.hanging_up,
    "no HTTP": manners.with_nonsense,
    "no object": answering([]),
    "no keys": answering({"keys": []}),
    "keys no list": answering({"keys": {}}),
    "a repeated member": answering(b'{"keys": [], "keys": []}'),
    "not UTF-8": answering(b'{"keys": "\xff"}'),
    "too deep": answering(b"[" * 100_000),
    "a secret": answering({"keys": [OctKey.generate_key(256).as_dict(private=True)]}),
    "a private key": answering({"keys": [new_key("k").as_dict(private=True)]}),
    "a private key for encryption": manners.with_extra(
        {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "enc", "use": "enc"}
    ),
    "two of a name": answering({"keys": [new_key("k").as_dict(private=False)] * 2}),
    "101 keys": answering(
        {"keys": [new_key(str(number)).as_dict(private=False) for number in range(101)]}
    ),
}


async def test_a_hundred_keys_are_no_misbehaviour(run: Run) -> None:
    """The bound is what it says: the last of a hundred good keys counts."""
    keys = [new_key(str(number)) for number in range(100)]
    async with provider(FIRST, *keys) as first, run(trusted(first, "first")) as app:
        assert await outcome(app, first.token()) == "ok"


async def test_a_key_for_encryption_may_have_the_name_of_one_for_signatures(run: Run) -> None:
    """`use` says which is meant; the other one is left out."""
    async with provider(FIRST, new_key("one name")) as first:
        encryption = new_key("one name")
        first.extra = [{**encryption.as_dict(private=False), "use": "enc"}]
        async with run(trusted(first, "first")) as app:
            assert await outcome(app, first.token()) == "ok"
            assert await outcome(app, first.token(key=encryption)) == "401 signature_invalid"


@pytest.mark.parametrize("name", MISBEHAVIOURS)
async def test_whatever_a_provider_does_others_do_not_notice(run: Run, name: str) -> None:
    """Its own tokens are 503 with Retry-After, never 401; Edge's and another issuer's are good."""
    async with provider(FIRST) as bad, provider(SECOND) as good:
        bad.manner = MISBEHAVIOURS[name]
        async with run(trusted(bad, "bad"), trusted(good, "good")) as app:
            own = (await app.login("ann"))["access_token"]
            answer = await use(app, bad.token())
            assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert [await outcome(app, token) for token in (own, good.token())] == ["ok", "ok"]
            ready = (await app.get("/readyz")).json()
            assert ready["ready"] is True
            assert ready["dependencies"]["issuer bad"] == "down"
            assert ready["dependencies"]["issuer good"] == "up"


async def test_a_provider_that_is_down_does_not_stop_the_start(run: Run) -> None:
    """Nobody listens there; Edge starts, and says 503 for its tokens until it is there."""
    async with provider(FIRST) as first:
        await first.stop()
        async with run(trusted(first, "first")) as app:
            assert await outcome(app, first.token()) == "503 issuer_unavailable"


@pytest.mark.parametrize("name", [*MISBEHAVIOURS, "down"])
async def test_known_keys_outlive_a_provider(run: Run, clock: FakeClock, name: str) -> None:
    """Good until `stale_s` after the last good answer, then 503; nobody else's tokens notice."""
    async with provider(FIRST) as bad, provider(SECOND) as good:
        issuers = trusted(bad, "bad", refresh_s=60, stale_s=600), trusted(good, "good")
        async with run(*issuers) as app:
            known, rotated = bad.token(), bad.token(key=new_key("new"))
            assert await outcome(app, known) == "ok"
            await misbehave(bad, name)
            assert await outcome(app, rotated) == "503 issuer_unavailable"
            clock.forward(599)
            assert await outcome(app, known) == "ok"
            assert await outcome(app, bad.token(sub="another")) == "ok"
            clock.forward(1)
            for token in (known, bad.token(sub="a third"), rotated):
                assert await outcome(app, token) == "503 issuer_unavailable"
            own = (await app.login("ann"))["access_token"]
            assert [await outcome(app, token) for token in (own, good.token())] == ["ok", "ok"]


async def misbehave(bad: Provider, name: str) -> None:
    if name == "down":
        await bad.stop()
    else:
        bad.manner = MISBEHAVIOURS[name]


async def test_a_set_with_other_keys_ends_the_old_ones(run: Run, clock: FakeClock) -> None:
    """A rotated set is a good answer: the new key counts, and the bound begins anew with it."""
    async with (
        provider(FIRST) as first,
        run(trusted(first, "first", refresh_s=60, stale_s=600)) as app,
    ):
        old = first.token()
        assert await outcome(app, old) == "ok"
        clock.forward(300)
        first.keys = [new_key("new")]
        assert await outcome(app, first.token()) == "ok"
        first.manner = manners.with_an_error
        clock.forward(599)
        assert await outcome(app, first.token()) == "ok"
        assert await outcome(app, old) == "503 issuer_unavailable"
        clock.forward(1)
        assert await outcome(app, first.token()) == "503 issuer_unavailable"


async def test_a_provider_is_trusted_again_when_it_is_back(run: Run, clock: FakeClock) -> None:
    """Down longer than the bound, and up again: the first token that is met finds its key."""
    async with (
        provider(FIRST) as first,
        run(trusted(first, "first", refresh_s=60, stale_s=600)) as app,
    ):
        await first.stop()
        clock.forward(600)
        assert await outcome(app, first.token()) == "503 issuer_unavailable"
        await first.start()
        clock.forward(10)
        assert await outcome(app, first.token()) == "ok"


async def test_a_rotated_set_is_fetched_when_its_key_is_met(run: Run) -> None:
    """The new key works at once; tokens of the one that is gone are refused from then on."""
    async with provider(FIRST) as first, run(trusted(first, "first")) as app:
        old = first.token()
        assert await outcome(app, old) == "ok"
        first.keys = [new_key("new")]
        assert await outcome(app, first.token()) == "ok"
        assert first.requests == 2
        assert await outcome(app, old) == "401 key_unknown"


async def test_a_flood_of_unknown_key_ids_costs_one_fetch(run: Run, clock: FakeClock) -> None:
    """900 ids that nobody has: one request in ten seconds; after the next one, each is 401."""
    async with provider(FIRST) as first, run(trusted(first, "first")) as app:
        bad = [first.token(key=new_key(f"unknown-{number}")) for number in range(900)]
        before = first.requests
        outcomes = await asyncio.gather(*(outcome(app, token) for token in bad[:500]))
        outcomes += [await outcome(app, token) for token in bad[500:]]
        assert set(outcomes) <= {"401 key_unknown", "503 issuer_unavailable"}
        assert first.requests - before == 1
        clock.forward(10)
        assert await outcome(app, first.token(key=new_key("one more"))) == "401 key_unknown"
        assert {await outcome(app, token) for token in bad} == {"401 key_unknown"}
        assert first.requests - before == 2


async def test_a_strangers_key_id_does_not_keep_a_new_key_out(run: Run, clock: FakeClock) -> None:
    """Junk, then a rotation: the new key is 503 with Retry-After for ten seconds, then good."""
    async with provider(FIRST) as first, run(trusted(first, "first")) as app:
        assert await outcome(app, first.token(key=new_key("junk"))) == "401 key_unknown"
        first.keys = [*first.keys, new_key("new")]
        new = first.token()
        for wait_s in ("7", "4", "1"):
            clock.forward(3)
            answer = await use(app, new)
            assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
            assert answer.headers["retry-after"] == wait_s
        clock.forward(1)
        assert await outcome(app, new) == "ok"


async def test_keys_in_a_file(run: Run, clock: FakeClock, tmp_path: Path) -> None:
    """A provider that cannot be reached from here gives its keys in a file, read again when due."""
    file = tmp_path / "jwks.json"
    one = Provider(FIRST)
    settings = {**trusted(one, "first"), "jwks_file": str(file)}
    del settings["jwks_url"]
    async with run(settings) as app:
        assert await outcome(app, one.token()) == "503 issuer_unavailable"
        file.write_bytes(one.document())
        clock.forward(10)
        assert await outcome(app, one.token()) == "ok"
    async with run(settings) as app:
        assert await outcome(app, one.token()) == "ok"


async def test_a_foreign_token_is_revoked_with_its_issuer(run: Run) -> None:
    """A row for one issuer's token, session or user kills no other issuer's of the same name."""
    rows: list[tuple[Kind, str, int | None]] = [
        ("token", "t", None),
        ("session", "s", None),
        ("user", "u", 1),
    ]
    async with (
        provider(FIRST) as one,
        provider(SECOND) as two,
        run(trusted(one, "first"), trusted(two, "second")) as app,
    ):
        for kind, subject, epoch in rows:
            names = {"sub": f"{kind}-u", "sid": f"{kind}-s", "jti": f"{kind}-t"}
            revoked, alive = make(one, **names), make(two, **names)
            assert await outcome(app, revoked) == "ok"
            await app.edge.revocation_log.add(
                kind, f"{kind}-{subject}", issuer=FIRST, epoch=epoch, lifetime_s=900
            )
            assert await outcome(app, revoked) == "401 token_revoked"
            assert await outcome(app, alive) == "ok"
            assert await outcome(app, one.token(sub="x", sid="x", jti="x")) == "ok"


def make(of: Provider, **claims: Any) -> str:  # noqa: ANN401  # claims of all types
    return of.token(**claims)
