"""The `TokenRevoker` port over SQL, on every database."""

from edge.stores.sql import Database
from edge.stores.tables import revocations
from edge.tokens.sql.token_revoker import SqlTokenRevoker
from tests.support.stores import REVOCATION_LIFETIME_S, TravelClock, rows_of


async def test_a_revoked_token_is_in_the_change_list(database: Database) -> None:
    """The row names the token and outlives it, and the change is announced once it is there."""
    seen: list[int] = []

    async def announce() -> None:
        seen.append(len(await rows_of(database, revocations)))

    clock = TravelClock()
    revoker = SqlTokenRevoker(
        database,
        revocation_lifetime_s=REVOCATION_LIFETIME_S,
        announce=announce,
        now=clock.expression,
    )
    await revoker.revoke("a-token")
    await revoker.revoke("another-token")

    rows = await rows_of(database, revocations)
    assert seen == [1, 2]
    assert [(row["kind"], row["issuer"], row["subject"], row["epoch"]) for row in rows] == [
        ("token", "", "a-token", None),
        ("token", "", "another-token", None),
    ]
    times = {(row["recorded_at_ms"], row["expires_at_ms"]) for row in rows}
    assert times == {(clock.now_ms, clock.now_ms + REVOCATION_LIFETIME_S * 1000)}
