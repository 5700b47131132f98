"""Issuing an access token."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import uuid4

from uuid_utils.compat import uuid7

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from benchmarks.material.tokens import ALGORITHMS, TOKENS, key_of, new_verifier, now_s
from benchmarks.peers.agreed import AUDIENCE, ISSUER
from edge.tokens.access_tokens import AccessTokenIssuer, Grant, IssuedToken
from edge.tokens.claims import VerifiedToken
from edge.tokens.key_ring import KeyRing, RingKey
from edge.tokens.key_schedule import KeySchedule, KeyTimes
from edge.tokens.keys import Algorithm
from edge.tokens.signing_key import OpenedKey

# The defaults of Edge.
_SCHEDULE: Final = KeySchedule(
    jwks_max_age_s=300, skew_s=60, reload_s=10, access_lifetime_s=900, leeway_s=5
)
_GATED: Final = ("ES256",)


def _issuing(algorithm: Algorithm) -> Batch:
    key = key_of(algorithm)
    verifier = new_verifier(key)
    # Its clock stands still, or its view of the keys would be too old after six minutes.
    ring = KeyRing(verifier, ISSUER, _SCHEDULE, clock=time.time, monotonic=lambda: 0.0)
    opened = OpenedKey(signing=key.signing, verifying=key.verifying, public_jwk=None)
    times = KeyTimes(kid=key.signing.kid, created_at_ms=0, activates_at_ms=0)
    ring.load([RingKey(opened, times)], read_at_ms=1, began_s=0.0)
    issuer = AccessTokenIssuer(
        ring, issuer=ISSUER, audience=AUDIENCE, lifetime_s=900, clock=time.time, new_id=uuid7
    )

    def holds(issued: IssuedToken) -> bool:
        return isinstance(verifier.verify(issued.token.encode(), now_s()), VerifiedToken)

    return calling(issuer.issue, [_grant() for _ in range(TOKENS)], holds)


def _grant() -> Grant:
    return Grant(
        subject=str(uuid4()),
        session_id=uuid4(),
        client_id="first-party",
        roles=("moderator", "user"),
        scopes=frozenset({"moderate", "profile"}),
        epoch=0,
    )


CASES: Final[Sequence[Case]] = [
    Case(
        id=f"issue/{algorithm.lower()}",
        open=ready(partial(_issuing, algorithm)),
        gated=algorithm in _GATED,
        quick=algorithm in _GATED,
    )
    for algorithm in ALGORITHMS
]
