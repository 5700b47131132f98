"""What is set about access tokens reaches those that are issued, and how all are verified."""

from pathlib import Path

import pytest

from edge.reasons import Reason
from edge.settings import Settings
from edge.tokens.claims import VerifiedToken
from tests.support.app import RunningApp, make_settings
from tests.support.databases import SqliteTemplate
from tests.support.fakes import NOW_S, make_claims
from tests.support.musts import decode

LEEWAY_S = 7


@pytest.fixture
def settings(sqlite_template: SqliteTemplate, tmp_path: Path) -> Settings:
    """Nothing about tokens is as it would be by default."""
    return make_settings(
        tmp_path / "data",
        sqlite_template.copy_to(tmp_path / "edge.db"),
        ISSUER="http://id.test",
        TOKENS_AUDIENCE="shop",
        TOKENS_CLIENT_ID="web",
        TOKENS_ALGORITHM="EdDSA",
        TOKENS_ACCESS_LIFETIME_S="60",
        TOKENS_LEEWAY_S=str(LEEWAY_S),
        TOKENS_VERIFIED_CACHE_ENTRIES="2",
    )


def verified(app: RunningApp, **claims: object) -> VerifiedToken | Reason:
    """Say what becomes at `NOW_S` of a token with these claims."""
    ours = make_claims(**{"iss": "http://id.test", "aud": "shop", **claims})
    return app.edge.verifier.verify(app.edge.key_ring.sign(ours).encode(), NOW_S)


async def test_a_token_is_issued_as_set(app: RunningApp) -> None:
    """Issuer, audience, client, algorithm and lifetime are those of the settings."""
    tokens = await app.login("user")
    header, claims = decode(tokens["access_token"])

    assert (claims["iss"], claims["aud"], claims["client_id"]) == ("http://id.test", "shop", "web")
    assert claims["exp"] - claims["iat"] == 60
    assert header["alg"] == "EdDSA"
    assert (await app.get("/users/me", tokens["access_token"])).status_code == 200


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW_S - LEEWAY_S + 1}, None),
        ({"exp": NOW_S - LEEWAY_S}, Reason.TOKEN_EXPIRED),
        ({"iat": NOW_S + LEEWAY_S}, None),
        ({"iat": NOW_S + LEEWAY_S + 1}, Reason.TOKEN_NOT_YET_VALID),
        ({"aud": "edge"}, Reason.AUDIENCE_MISMATCH),
        ({"iss": "http://127.0.0.1:8000"}, Reason.ISSUER_UNKNOWN),
    ],
)
async def test_a_token_is_verified_as_set(
    app: RunningApp, claims: dict[str, object], reason: Reason | None
) -> None:
    """Issuer, audience and leeway are those of the settings, to the second."""
    found = verified(app, **claims)

    assert (None if isinstance(found, VerifiedToken) else found) is reason


async def test_so_many_tokens_are_remembered_as_set(app: RunningApp) -> None:
    """The third that holds takes the place of the first."""
    for number in range(3):
        assert isinstance(verified(app, jti=f"token-{number}"), VerifiedToken)

    assert len(app.edge.verifier._remembered) == 2  # noqa: SLF001  # nothing else tells
