"""What verifying an access token costs, beside the floor and beside what people use instead.

    python -m benchmarks.verify_tokens

Everything is measured in one run: candidates take turns in batches of a few milliseconds, so that
whatever else the machine does meets all of them, and the median of their batches is shown.
`cold` is a token never seen before, with every check; `warm` is one that was, with the look at the
list of revocations. The floor is the raw primitive on the same bytes: `hmac.digest`, or the call of
`cryptography` on a prepared key, for ES256 with the signature turned from r||s into DER.
"""

import base64
import hmac
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from uuid import uuid4

import jwt as pyjwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from edge.reasons import Reason
from edge.tokens.claims import AccessClaims, ClaimsPolicy
from edge.tokens.jose.keys import import_key, public_value, signing_key, verifying_key
from edge.tokens.keys import Algorithm, SigningKey, VerifyingKey
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.revocations import Change, RevocationSnapshot
from edge.tokens.verifier import Verifier

ISSUER: Final = "https://id.example.com"
AUDIENCE: Final = "edge"
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("HS256", "ES256", "RS256", "EdDSA")

# The targets: microseconds above the floor, times faster, tokens a second.
MOST_ABOVE_FLOOR_US: Final = 8.0
LEAST_OF_JOSERFC: Final = 3.0
LEAST_OF_PYJWT: Final = 5.0
LEAST_WARM: Final = 500_000

_GENERATE: Final[dict[str, Callable[[], Key]]] = {
    "HS256": lambda: OctKey.generate_key(256),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}
_TOKENS: Final = 300
# So that its turn takes as many milliseconds as the others' do.
_WARM_PASSES: Final = 8
_ROUNDS: Final = 41
_REVOKED: Final = 100_000
_US: Final = 1_000_000

Call = Callable[[bytes], object]


class Signed(msgspec.Struct, frozen=True):
    """A token, and what the primitive is given to check it."""

    token: bytes
    signing_input: bytes
    signature: bytes


class Candidate(msgspec.Struct, frozen=True):
    """Something that checks tokens; `arguments` are one for each token, `reset` comes first."""

    name: str
    call: Callable[[Any], object]
    arguments: Sequence[Any]
    reset: Callable[[], None]


def main() -> int:
    """Print the table; gives 1 where a target was missed."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {_ROUNDS} rounds")
    columns = f"{'floor':>8}{'cold':>8}{'above':>8}{'joserfc':>10}{'PyJWT':>8}{'warm':>12}"
    print(
        f"{'':8}{columns}\n{'':8}{'us':>8}{'us':>8}{'us':>8}{'x cold':>10}{'x cold':>8}{'/s':>12}"
    )
    missed = [problem for algorithm in ALGORITHMS for problem in _measure(algorithm)]
    print(f"a remembered token takes {bytes_per_entry()} bytes")
    for problem in missed:
        print(f"missed: {problem}")
    return 1 if missed else 0


def _measure(algorithm: Algorithm) -> Iterator[str]:
    """Print the row of an algorithm; yields the targets it missed."""
    times = take_turns(candidates(algorithm))
    floor, cold, warm = (times[name] for name in ("floor", "cold", "warm"))
    above = statistics.median(one - other for one, other in zip(cold, floor, strict=True))
    joserfc, peer = _times(times["joserfc"], cold), _times(times["PyJWT"], cold)
    warm_rate = 1 / statistics.median(warm)
    print(
        f"{algorithm:8}{statistics.median(floor) * _US:8.2f}{statistics.median(cold) * _US:8.2f}"
        f"{above * _US:+8.2f}{joserfc:10.1f}{peer:8.1f}{warm_rate:12,.0f}"
    )
    if above * _US > MOST_ABOVE_FLOOR_US:
        yield f"{algorithm} cold is {above * _US:.2f} us above the floor, not {MOST_ABOVE_FLOOR_US}"
    if warm_rate < LEAST_WARM:
        yield f"{algorithm} warm is {warm_rate:,.0f} a second, not {LEAST_WARM:,}"
    if algorithm == "HS256" and joserfc < LEAST_OF_JOSERFC:
        yield f"HS256 cold is {joserfc:.1f} times as fast as joserfc, not {LEAST_OF_JOSERFC}"
    if algorithm == "HS256" and peer < LEAST_OF_PYJWT:
        yield f"HS256 cold is {peer:.1f} times as fast as PyJWT, not {LEAST_OF_PYJWT}"


def _times(slower: Sequence[float], faster: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(slower, faster, strict=True))


def take_turns(candidates: Sequence[Candidate]) -> dict[str, list[float]]:
    """Time each candidate once a round, in seconds a call; the first in a round changes."""
    times: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for round_number in range(_ROUNDS):
        shift = round_number % len(candidates)
        for candidate in (*candidates[shift:], *candidates[:shift]):
            times[candidate.name].append(_time(candidate))
    return times


def _time(candidate: Candidate) -> float:
    candidate.reset()
    call, arguments = candidate.call, candidate.arguments
    started = time.perf_counter()
    for argument in arguments:
        call(argument)
    return (time.perf_counter() - started) / len(arguments)


def candidates(algorithm: Algorithm) -> list[Candidate]:
    """Give what is compared, each proven to accept the tokens and to refuse a forged one."""
    key = new_key(algorithm)
    signed = [sign(key) for _ in range(_TOKENS)]
    tokens = [one.token for one in signed]
    cold_verifier, warm_verifier = new_verifier(key), new_verifier(key)
    now_s = time.time()
    verify_warm = warm_verifier.verify
    is_revoked = revoked_tokens().is_revoked

    def warm(token: bytes) -> object:
        verified = verify_warm(token, now_s)
        return not isinstance(verified, Reason) and not is_revoked(verified)

    def cold(token: bytes) -> object:
        return cold_verifier.verify(token, now_s)

    def nothing() -> None:
        pass

    def forget() -> None:
        cold_verifier.replace_keys(ISSUER, [])
        cold_verifier.replace_keys(ISSUER, [key.verifying])

    raw = public_value(import_key(key.jwk))
    found = [
        Candidate("floor", floor(algorithm, raw), signed, nothing),
        Candidate("cold", cold, tokens, forget),
        Candidate("warm", warm, tokens * _WARM_PASSES, nothing),
        Candidate("joserfc", with_joserfc(algorithm, key.jwk), tokens, nothing),
        Candidate("PyJWT", with_pyjwt(algorithm, raw), tokens, nothing),
    ]
    for candidate in found:
        _prove(candidate)
    return found


def _prove(candidate: Candidate) -> None:
    """See that a candidate does its work: whoever accepts everything is fast.

    Raises:
        RuntimeError: it does not.
    """
    if not all(_is_accepted(candidate.call(argument)) for argument in candidate.arguments):
        message = f"{candidate.name} refuses a good token"
        raise RuntimeError(message)
    first, second = candidate.arguments[:2]
    if isinstance(first, Signed):
        forged: Any = Signed(first.token, first.signing_input, second.signature)
    else:
        forged = first.rpartition(b".")[0] + b"." + second.rpartition(b".")[2]
    try:
        is_accepted = _is_accepted(candidate.call(forged))
    except Exception:  # noqa: BLE001  # each has exceptions of its own
        is_accepted = False
    if is_accepted:
        message = f"{candidate.name} accepts a forged token"
        raise RuntimeError(message)


def _is_accepted(outcome: object) -> bool:
    return bool(outcome) and not isinstance(outcome, Reason)


def floor(algorithm: Algorithm, key: Any) -> Callable[[Signed], object]:  # noqa: ANN401
    """Give the raw primitive on a prepared key."""
    if algorithm == "HS256":
        digest, are_equal = hmac.digest, hmac.compare_digest
        return lambda one: are_equal(digest(key, one.signing_input, "sha256"), one.signature)
    if algorithm == "ES256":
        how = ec.ECDSA(SHA256())

        def check(one: Signed) -> bool:
            signature = one.signature
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(encode_dss_signature(r, s), one.signing_input, how)
            return True

        return check
    arguments = (padding.PKCS1v15(), SHA256()) if algorithm == "RS256" else ()
    return lambda one: key.verify(one.signature, one.signing_input, *arguments) is None


def with_joserfc(algorithm: Algorithm, jwk: dict[str, Any]) -> Call:
    """Decode and validate with joserfc, everything it can prepare prepared."""
    key = import_key(jwk)
    jws = JWSRegistry(algorithms=[algorithm])
    claims = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )

    def check(token: bytes) -> bool:
        decoded = joserfc_jwt.decode(token, key, registry=jws)
        claims.validate(decoded.claims)
        return True

    return check


def with_pyjwt(algorithm: Algorithm, key: Any) -> Call:  # noqa: ANN401
    """Decode and validate with PyJWT on a prepared key."""
    options: Any = {"require": ["iss", "aud", "exp"]}
    given = {"algorithms": [algorithm], "issuer": ISSUER, "audience": AUDIENCE, "options": options}
    return lambda token: bool(pyjwt.decode(token, key, **given))


class SigningPair(msgspec.Struct, frozen=True):
    """A key to make tokens with and to check them with, and the JWK that peers import."""

    signing: SigningKey
    verifying: VerifyingKey
    jwk: dict[str, Any]


def new_key(algorithm: Algorithm) -> SigningPair:
    key = _GENERATE[algorithm]()
    jwk = {**key.as_dict(private=True), "alg": algorithm, "kid": key.thumbprint()}
    return SigningPair(signing_key(jwk, str(jwk["kid"])), verifying_key(jwk), jwk)


def sign(key: SigningPair) -> Signed:
    """Make a token as Edge issues them, with ids of its own."""
    now = int(time.time())
    claims = AccessClaims(
        iss=ISSUER,
        sub=str(uuid4()),
        aud=AUDIENCE,
        exp=now + 3600,
        iat=now,
        jti=str(uuid4()),
        client_id="first-party",
        sid=str(uuid4()),
        epoch=1,
        scope="moderate profile",
        roles=("moderator", "user"),
    )
    header = {"alg": key.signing.algorithm, "kid": key.signing.kid, "typ": "at+jwt"}
    segments = (base64.urlsafe_b64encode(msgspec.json.encode(part)) for part in (header, claims))
    signing_input = b".".join(segment.rstrip(b"=") for segment in segments)
    signature = key.signing.sign(signing_input)
    encoded = base64.urlsafe_b64encode(signature).rstrip(b"=")
    return Signed(signing_input + b"." + encoded, signing_input, signature)


def new_verifier(key: SigningPair) -> Verifier:
    policy = ClaimsPolicy(issuer=ISSUER, audiences=frozenset({AUDIENCE}), leeway_s=5)
    verifier = Verifier([OwnTokens(policy)], most_remembered=10_000)
    verifier.replace_keys(ISSUER, [key.verifying])
    return verifier


def revoked_tokens() -> RevocationSnapshot:
    """Give a list with as many revocations as a busy day brings, none of the tokens here."""
    snapshot = RevocationSnapshot()
    snapshot.apply(
        Change(kind="session", issuer="", subject=str(uuid4()), epoch=None, expires_at_ms=2**62)
        for _ in range(_REVOKED)
    )
    return snapshot


def bytes_per_entry() -> int:
    """Measure how much memory the verifier takes for each token that it remembers."""
    key = new_key("HS256")
    verifier = new_verifier(key)
    tokens = [sign(key).token for _ in range(2000)]
    now_s = time.time()
    tracemalloc.start()
    for token in tokens:
        verifier.verify(token, now_s)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken // len(tokens)


if __name__ == "__main__":
    sys.exit(main())
