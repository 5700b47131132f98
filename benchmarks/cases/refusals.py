"""Refusing a bad access token: what somebody can make a server do who has no key.

`short` tokens are as long as Edge's own; the others are as long as may be, filled with what takes
longest to read. The floor is the primitive of ES256.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from benchmarks.material.tokens import (
    Change,
    Document,
    SigningPair,
    forgetting,
    key_of,
    new_verifier,
    now_s,
    several,
)
from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.revocations import Change as Revocation
from edge.tokens.revocations import RevocationSnapshot
from edge.tokens.verifier import MAX_TOKEN_LENGTH, Verifier

_FLOOR: Final = ("floor/verify-es256",)
# So many bytes of a payload, or of a header, make a token of nearly the most that is looked at.
_LONG: Final = {"payload": MAX_TOKEN_LENGTH * 3 // 4 - 420, "header": 3000}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong: `change` spoils the header or the claims; else it is the signature."""

    reason: Reason
    change: Change | None = None


def _oversize(header: Document, _: Document) -> None:
    header["x"] = "x" * MAX_TOKEN_LENGTH


_FAULTS: Final[Mapping[str, Fault]] = {
    "malformed": Fault(Reason.TOKEN_MALFORMED, lambda _, claims: claims.update(exp="soon")),
    "oversize": Fault(Reason.TOKEN_MALFORMED, _oversize),
    "unknown-key": Fault(Reason.KEY_UNKNOWN, lambda header, _: header.update(kid="unknown")),
    "algorithm": Fault(Reason.ALGORITHM_MISMATCH, lambda header, _: header.update(alg="none")),
    "type": Fault(Reason.TYPE_MISMATCH, lambda header, _: header.update(typ="JWT")),
    "issuer": Fault(Reason.ISSUER_UNKNOWN, lambda _, claims: claims.update(iss="nobody")),
    "audience": Fault(Reason.AUDIENCE_MISMATCH, lambda _, claims: claims.update(aud="other")),
    "expired": Fault(Reason.TOKEN_EXPIRED, lambda _, claims: claims.update(exp=1)),
    "not-yet-valid": Fault(
        Reason.TOKEN_NOT_YET_VALID, lambda _, claims: claims.update(nbf=claims["exp"] - 1)
    ),
    "signature": Fault(Reason.SIGNATURE_INVALID),
}
_GATED: Final = ("malformed", "unknown-key", "expired", "signature")
_QUICK: Final = ("expired", "signature")

# What takes longest: Python's search for repeated members, many names, many strings.
_FILLINGS: Final[Mapping[str, tuple[str, str, Callable[[int], Any]]]] = {
    "objects": ("payload", "x", lambda size: [{}] * (size // 3)),
    "members": ("payload", "x", lambda size: {f"{n:x}": 0 for n in range(size // 8)}),
    "roles": ("payload", "roles", lambda size: [""] * (size // 3)),
    "header": ("header", "x", lambda size: {f"{n:x}": {} for n in range(size // 9)}),
}
_FILLED_FAULTS: Final = ("malformed", "unknown-key", "audience", "signature")


def _fill(filling: str, header: Document, claims: Document) -> None:
    where, member, fill = _FILLINGS[filling]
    filled = claims if where == "payload" else header
    filled[member] = fill(_LONG[where] - len(msgspec.json.encode(filled)))


def _spoil(filling: str | None, fault: Fault, header: Document, claims: Document) -> None:
    if filling is not None:
        _fill(filling, header, claims)
    if fault.change is not None:
        fault.change(header, claims)


def _refusing(fault: Fault, filling: str | None = None) -> Batch:
    """Refuse tokens whose signature is wrong besides."""
    key = key_of("ES256")
    tokens = [
        one.token for one in several(key, change=partial(_spoil, filling, fault), is_forged=True)
    ]
    return _checking(key, tokens, lambda outcome: outcome is fault.reason)


def _accepting(filling: str) -> Batch:
    """Accept tokens as long as may be, for what comes after the signature."""
    key = key_of("ES256")
    tokens = [one.token for one in several(key, change=partial(_fill, filling))]
    return _checking(key, tokens, lambda outcome: isinstance(outcome, VerifiedToken))


def _checking(
    key: SigningPair, tokens: Sequence[bytes], is_right: Callable[[object], bool]
) -> Batch:
    verifier, now = new_verifier(key), now_s()
    forget = forgetting(verifier, key)
    return calling(lambda token: _check(verifier, token, now), tokens, is_right, reset=forget)


def _check(verifier: Verifier, token: bytes, now: float) -> VerifiedToken | Reason:
    """Verify as `TokenCheck` does, which asks for the issuer of an unknown key."""
    verified = verifier.verify(token, now)
    if verified is Reason.KEY_UNKNOWN:
        verifier.claimed(token)
    return verified


def _revoked() -> Batch:
    """Refuse tokens that were seen, and whose sessions ended since."""
    key, now = key_of("ES256"), now_s()
    verify, snapshot = new_verifier(key).verify, RevocationSnapshot()
    tokens = [one.token for one in several(key)]
    verified = [verify(token, now) for token in tokens]
    snapshot.apply(
        Revocation(
            kind="session", issuer="", subject=str(one.session), epoch=None, expires_at_ms=2**62
        )
        for one in verified
        if isinstance(one, VerifiedToken)
    )
    is_revoked = snapshot.is_revoked

    def check(token: bytes) -> bool:
        found = verify(token, now)
        return isinstance(found, VerifiedToken) and is_revoked(found)

    return calling(check, tokens, bool)


CASES: Final[Sequence[Case]] = [
    *(
        Case(
            id=f"refuse/{name}",
            open=ready(partial(_refusing, fault)),
            gated=name in _GATED,
            quick=name in _QUICK,
            of=_FLOOR,
        )
        for name, fault in _FAULTS.items()
    ),
    Case(id="refuse/revoked", open=ready(_revoked), gated=True),
    *(
        Case(
            id=f"refuse/{name}/long-{filling}",
            open=ready(partial(_refusing, _FAULTS[name], filling)),
            of=_FLOOR,
        )
        for filling in _FILLINGS
        for name in _FILLED_FAULTS
    ),
    *(
        Case(id=f"verify/long-{filling}", open=ready(partial(_accepting, filling)), of=_FLOOR)
        for filling in _FILLINGS
    ),
]
