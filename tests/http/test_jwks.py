"""The JWK Set as it is fetched: kept by caches, asked for again cheaply."""

import json

from edge.settings import Settings
from tests.support.app import RunningApp, running_service

PATH = "/.well-known/jwks.json"


async def test_the_set_says_how_long_it_may_be_kept(settings: Settings) -> None:
    """RFC 9111: the age is the setting, and the type is the one of RFC 7517."""
    async with running_service(settings) as app:
        answer = await app.get(PATH)
    assert answer.headers["cache-control"] == f"public, max-age={settings.tokens.jwks_max_age_s}"
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert not answer.headers["etag"].startswith("W/")


async def test_whoever_has_it_gets_304(app: RunningApp) -> None:
    """RFC 9110 section 13.1.2: no body where one of the tags is ours, all of it otherwise."""
    first = await app.get(PATH)
    etag = first.headers["etag"]
    for held in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await app.http.get(PATH, headers={"If-None-Match": held})
        assert (answer.status_code, answer.content) == (304, b""), held
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == first.headers["cache-control"]
    for held in ('"other"', etag.strip('"'), ""):
        answer = await app.http.get(PATH, headers={"If-None-Match": held})
        assert (answer.status_code, answer.content) == (200, first.content), held


async def test_head_is_get_without_the_body(app: RunningApp) -> None:
    """RFC 9110 section 9.3.2."""
    answer, head = await app.get(PATH), await app.http.head(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == answer.headers["etag"]


async def test_a_new_key_is_published_before_it_signs(app: RunningApp) -> None:
    """As soon as it is added here, it is in the set, under another ETag; the old key signs."""
    before = await app.get(PATH)
    key = app.edge.signing_keys.make()
    assert await app.edge.signing_keys.add(key)
    await app.edge.signing_keys.load()
    after = await app.get(PATH)
    assert after.headers["etag"] != before.headers["etag"]
    kids = {jwk["kid"] for jwk in json.loads(after.content)["keys"]}
    assert kids == {key.kid, *(jwk["kid"] for jwk in before.json()["keys"])}
    await app.add_user("ann")
    claimed = app.edge.verifier.claimed((await app.login("ann"))["access_token"].encode())
    assert isinstance(claimed, tuple)
    assert claimed[1] != key.kid
