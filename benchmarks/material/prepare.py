"""Makes the database of an Edge that is to be served: accounts, and tokens that its key signed.

    python -m benchmarks.material.prepare

The settings are those of the environment; what it writes is `Prepared`, as JSON.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec

from benchmarks.peers.agreed import new_claims, spoilt_claims
from benchmarks.programs.edge import ADMIN, PASSWORD, TOKENS, USER, Prepared
from edge.accounts.user import User
from edge.composition import Edge
from edge.settings import load
from edge.stores import schema
from edge.tokens.claims import AccessClaims, AssertionClaims


async def prepare(edge: Edge) -> Prepared:
    """Make an admin and a user, and tokens of both."""
    await schema.upgrade(edge.database)
    async with edge.stores_open():
        admin = await _add(edge, ADMIN, ["admin", "moderator"])
        user = await _add(edge, USER, ["user"])
        return Prepared(
            [_token(edge, admin) for _ in range(TOKENS)],
            [_token(edge, user) for _ in range(TOKENS)],
            _bad_tokens(edge, admin),
        )


async def _add(edge: Edge, name: str, roles: Sequence[str]) -> User:
    added = await edge.accounts.add(name, PASSWORD, roles=roles)
    if not isinstance(added, User):
        message = f"{name} cannot be added: {added}"
        raise RuntimeError(message)  # noqa: TRY004  # the account is at fault, not a type
    return added


def _token(edge: Edge, user: User, **changed: Any) -> str:  # noqa: ANN401  # claims
    claims = {**new_claims(user.roles), "sub": str(user.id), **changed}
    return edge.key_ring.sign(msgspec.convert(claims, AccessClaims))


def _bad_tokens(edge: Edge, admin: User) -> dict[str, str]:
    spoilt = spoilt_claims(int(time.time()))
    assertion = {**new_claims(admin.roles), "sub": str(admin.id), "method": "bearer"}
    return {
        **{name: _token(edge, admin, **changed) for name, changed in spoilt.items()},
        "of another type": edge.key_ring.sign_assertion(
            msgspec.convert({**assertion, "sid": str(uuid4())}, AssertionClaims)
        ),
    }


if __name__ == "__main__":
    made = asyncio.run(prepare(Edge(load(os.environ).or_raise())))
    sys.stdout.buffer.write(msgspec.json.encode(made))
