"""Verifying an access token: never seen, seen before, and among more and more of everything."""

import tracemalloc
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import uuid4

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case, Kind, WrongResultError
from benchmarks.material.tokens import (
    ALGORITHMS,
    TOKENS,
    forgetting,
    key_of,
    new_key,
    new_verifier,
    now_s,
    several,
    sign,
)
from edge.tokens.claims import VerifiedToken
from edge.tokens.keys import Algorithm
from edge.tokens.revocations import Change, RevocationSnapshot

_KEYS: Final = (1, 10, 100)
_ROLES: Final = (10, 100)
_REMEMBERED: Final = 2000
_REVOCATIONS: Final = (0, 1000, 100_000)

_GATED: Final = ("HS256", "ES256", "RS256", "EdDSA")
_QUICK: Final = ("HS256", "ES256")
_PEERS: Final = {
    "HS256": ("pyjwt", "joserfc", "authlib", "python-jose"),
    "ES256": ("pyjwt", "joserfc", "authlib", "python-jose"),
    "RS256": ("pyjwt", "joserfc", "authlib", "python-jose"),
    "EdDSA": ("pyjwt", "joserfc", "authlib"),
}


def _holds(outcome: object) -> bool:
    return isinstance(outcome, VerifiedToken)


def _cold(algorithm: Algorithm, roles: Sequence[str] = ("moderator", "user")) -> Batch:
    """Verify tokens that were never seen, with every check but revocation."""
    key, now = key_of(algorithm), now_s()
    verifier = new_verifier(key)
    tokens = [one.token for one in several(key, roles=roles)]
    verify, forget = verifier.verify, forgetting(verifier, key)
    return calling(lambda token: verify(token, now), tokens, _holds, reset=forget)


def _among_keys(size: int) -> Batch:
    """Verify tokens that were never seen, each by another one of so many keys."""
    keys = [new_key("HS256") for _ in range(size)]
    verifier, now = new_verifier(*keys), now_s()
    tokens = [sign(keys[number % size]).token for number in range(TOKENS)]
    others = [sign(key).token for key in keys]
    verify, forget_all = verifier.verify, forgetting(verifier, *keys)

    def forget() -> None:
        """Forget the tokens, and not which key is meant by which header."""
        forget_all()
        for token in others:
            verify(token, now)

    return calling(lambda token: verify(token, now), tokens, _holds, reset=forget)


def _warm(revoked: int, algorithm: Algorithm = "ES256") -> Batch:
    """Verify tokens that were seen, with the look at the list of revocations."""
    key, now = key_of(algorithm), now_s()
    verify, is_revoked = new_verifier(key).verify, _snapshot(revoked).is_revoked
    tokens = [one.token for one in several(key)]

    def check(token: bytes) -> bool:
        verified = verify(token, now)
        return isinstance(verified, VerifiedToken) and not is_revoked(verified)

    return calling(check, tokens, bool)


async def _bytes_of_remembered(n: int) -> int:
    """Give n times the memory that a remembered token takes."""
    key, now = key_of("HS256"), now_s()
    verifier = new_verifier(key)
    tokens = [sign(key).token for _ in range(_REMEMBERED)]
    tracemalloc.start()
    for token in tokens:
        verifier.verify(token, now)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if len(verifier) != len(tokens):
        message = f"it remembers {len(verifier)} of {len(tokens)}"
        raise WrongResultError(message)
    return taken * n // len(tokens)


def _snapshot(size: int) -> RevocationSnapshot:
    """Give a list with so many revocations, none of the tokens here."""
    snapshot = RevocationSnapshot()
    snapshot.apply(
        Change(kind="session", issuer="", subject=str(uuid4()), epoch=None, expires_at_ms=2**62)
        for _ in range(size)
    )
    return snapshot


def _beside(algorithm: Algorithm) -> list[str]:
    name = algorithm.lower()
    peers = [f"peer/{peer}/{name}" for peer in _PEERS.get(algorithm, ())]
    return [f"floor/verify-{name}", *peers]


CASES: Final[Sequence[Case]] = [
    *(
        Case(
            id=f"verify/{algorithm.lower()}/cold",
            open=ready(partial(_cold, algorithm)),
            gated=algorithm in _GATED,
            quick=algorithm in _QUICK,
            of=_beside(algorithm),
        )
        for algorithm in ALGORITHMS
    ),
    *(
        Case(id=f"verify/{algorithm.lower()}/warm", open=ready(partial(_warm, 0, algorithm)))
        for algorithm in ALGORITHMS
    ),
    *(
        Case(
            id=f"verify/keys/{size}",
            open=ready(partial(_among_keys, size)),
            gated=size == max(_KEYS),
            growth=("a token never seen, by signing keys", size),
        )
        for size in _KEYS
    ),
    *(
        Case(
            id=f"verify/roles/{size}",
            open=ready(partial(_cold, "ES256", [f"role-{n}" for n in range(size)])),
            gated=size == max(_ROLES),
        )
        for size in _ROLES
    ),
    *(
        Case(
            id=f"verify/warm/{size}-revoked",
            open=ready(partial(_warm, size)),
            gated=size in (0, max(_REVOCATIONS)),
            quick=size == 0,
            of=["floor/digest-and-look-up"] if size == 0 else [],
            growth=("a token seen before, by revocations", size),
        )
        for size in _REVOCATIONS
    ),
    Case(
        id="memory/remembered-token",
        open=ready(lambda: _bytes_of_remembered),
        kind=Kind.PROCESS,  # as long as one: few batches
        unit="bytes",
    ),
]
