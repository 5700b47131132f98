"""What refusing a bad access token costs, beside one check of a signature.

    python -m benchmarks.refuse_tokens

A row for each thing that can be wrong, with a token as long as Edge's own and with one as long as
may be, filled with what takes longest to read; the candidates take turns as in `verify_tokens`. The
floor is the primitive of ES256 on the token's own bytes. A refusal that needs no signature may not
take half as long; a long one, which has to be hashed and decoded, not as long; and a bad signature,
which is checked, not twice as long.
"""

import base64
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from benchmarks.verify_tokens import (
    AUDIENCE,
    ISSUER,
    Candidate,
    Signed,
    SigningPair,
    floor,
    new_key,
    new_verifier,
    take_turns,
)
from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.jose.keys import import_key, public_value
from edge.tokens.verifier import MAX_TOKEN_LENGTH, Verifier

_TOKENS: Final = 100
_US: Final = 1_000_000
# The targets, in floors.
_MOST_SHORT: Final = 0.5
_MOST_LONG: Final = 1.0
_MOST_SIGNATURE: Final = 2.0
# So many bytes of a payload make a token of nearly the most that is looked at.
_LONG: Final = {"payload": MAX_TOKEN_LENGTH * 3 // 4 - 320, "header": 3000}

Document = dict[str, Any]
Change = Callable[[Document, Document], None]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong: `change` spoils the header or the claims; else it is the signature."""

    reason: Reason
    change: Change | None = None


_FAULTS: Final[Mapping[str, Fault]] = {
    "malformed claims": Fault(Reason.TOKEN_MALFORMED, lambda _, claims: claims.update(exp="soon")),
    "unknown key": Fault(Reason.KEY_UNKNOWN, lambda header, _: header.update(kid="unknown")),
    "algorithm": Fault(Reason.ALGORITHM_MISMATCH, lambda header, _: header.update(alg="none")),
    "type": Fault(Reason.TYPE_MISMATCH, lambda header, _: header.update(typ="JWT")),
    "issuer": Fault(Reason.ISSUER_UNKNOWN, lambda _, claims: claims.update(iss="nobody")),
    "audience": Fault(Reason.AUDIENCE_MISMATCH, lambda _, claims: claims.update(aud="other")),
    "expired": Fault(Reason.TOKEN_EXPIRED, lambda _, claims: claims.update(exp=1)),
    "signature": Fault(Reason.SIGNATURE_INVALID),
}
# What takes longest: Python's search for repeated members, many names, many strings.
_FILLINGS: Final[Mapping[str, tuple[str, Callable[[int], Any]]]] = {
    "objects": ("payload", lambda size: [{}] * (size // 3)),
    "members": ("payload", lambda size: {f"{number:x}": 0 for number in range(size // 8)}),
    "roles": ("payload", lambda size: [""] * (size // 3)),
    "header": ("header", lambda size: {f"{number:x}": {} for number in range(size // 9)}),
}


def main() -> int:
    """Print the table; gives 1 where a target was missed."""
    print(f"Python {platform.python_version()}, {platform.machine()}, ES256, us and part of floor")
    print(f"{'':18}{'short':>14}" + "".join(f"{name:>14}" for name in _FILLINGS))
    key = new_key("ES256")
    columns = {name: _measure(key, name) for name in ("", *_FILLINGS)}
    for row in next(iter(columns.values())):
        cells = ((times[row], times["floor"]) for times in columns.values())
        print(f"{row:18}" + "".join(f"{t * _US:8.1f} {t / least:5.2f}" for t, least in cells))
    missed = [problem for name, times in columns.items() for problem in _missed(name, times)]
    for problem in missed:
        print(f"missed: {problem}")
    return 1 if missed else 0


def _missed(filling: str, times: Mapping[str, float]) -> Iterator[str]:
    unsigned = _MOST_LONG if filling else _MOST_SHORT
    for name, fault in _FAULTS.items():
        most = times["floor"] * (unsigned if fault.change else _MOST_SIGNATURE)
        if times[name] > most:
            yield f"{name} {filling} takes {times[name] * _US:.1f} us, not {most * _US:.1f}"


def _measure(key: SigningPair, filling: str) -> dict[str, float]:
    """Give the seconds that the floor, a good token and each refusal take."""
    raw = public_value(import_key(key.jwk))
    good = [_make(key, filling, None, number) for number in range(_TOKENS)]
    tokens = [one.token for one in good]
    found = [
        Candidate("floor", floor("ES256", raw), good, lambda: None),
        _candidate(key, "good", tokens),
    ]
    for name, fault in _FAULTS.items():
        bad = [_make(key, filling, fault, number).token for number in range(_TOKENS)]
        found.append(_candidate(key, name, bad))
        if (reason := found[-1].call(bad[0])) is not fault.reason:
            message = f"{name} {filling} is refused for {reason}"
            raise RuntimeError(message)
    if not all(isinstance(found[1].call(token), VerifiedToken) for token in tokens):
        message = f"a good token with {filling} is refused"
        raise RuntimeError(message)
    return {name: statistics.median(times) for name, times in take_turns(found).items()}


def _candidate(key: SigningPair, name: str, tokens: list[bytes]) -> Candidate:
    verifier, now_s = new_verifier(key), time.time()

    def forget() -> None:
        verifier.replace_keys(ISSUER, [])
        verifier.replace_keys(ISSUER, [key.verifying])

    return Candidate(name, lambda token: _check(verifier, token, now_s), tokens, forget)


def _check(verifier: Verifier, token: bytes, now_s: float) -> VerifiedToken | Reason:
    """Verify as `TokenCheck` does, which asks for the issuer of an unknown key."""
    verified = verifier.verify(token, now_s)
    if verified is Reason.KEY_UNKNOWN:
        verifier.claimed(token)
    return verified


def _make(key: SigningPair, filling: str, fault: Fault | None, number: int) -> Signed:
    """Make a token with a number of its own; a bad one has a bad signature besides."""
    header: Document = {"alg": "ES256", "kid": key.signing.kid, "typ": "at+jwt"}
    claims: Document = {
        "iss": ISSUER,
        "sub": "01900000-0000-7000-8000-000000000000",
        "aud": AUDIENCE,
        "exp": int(time.time()) + 3600,
        "iat": int(time.time()),
        "jti": f"01900000-0000-7000-8000-{number:012}",
        "client_id": "first-party",
        "epoch": 1,
        "sid": "01900000-0000-7000-8000-000000000000",
        "scope": "moderate profile",
    }
    if filling:
        where, fill = _FILLINGS[filling]
        filled = claims if where == "payload" else header
        size = _LONG[where] - len(msgspec.json.encode(filled))
        filled["roles" if filling == "roles" else "x"] = fill(size)
    if fault is not None and fault.change is not None:
        fault.change(header, claims)
    parts = (base64.urlsafe_b64encode(msgspec.json.encode(part)) for part in (header, claims))
    signing_input = b".".join(part.rstrip(b"=") for part in parts)
    signature = key.signing.sign(signing_input if fault is None else b"something else")
    encoded = base64.urlsafe_b64encode(signature).rstrip(b"=")
    return Signed(signing_input + b"." + encoded, signing_input, signature)


if __name__ == "__main__":
    sys.exit(main())
