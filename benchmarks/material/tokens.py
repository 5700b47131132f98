"""Access tokens as Edge issues them, with the keys that they hold under."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from benchmarks.peers.agreed import AUDIENCE, ISSUER, new_claims
from edge.tokens.claims import ClaimsPolicy
from edge.tokens.jose.keys import signing_key, verifying_key
from edge.tokens.keys import Algorithm, SigningKey, VerifyingKey
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.verifier import Verifier

ALGORITHMS: Final[Sequence[Algorithm]] = (
    "HS256",
    "ES256",
    "RS256",
    "PS256",
    "EdDSA",
    "ES384",
    "RS384",
    "RS512",
)

# Enough that neither branch predictor nor caches know the next one.
TOKENS: Final = 256

_GENERATE: Final[Mapping[str, Callable[[], Key]]] = {
    "HS256": lambda: OctKey.generate_key(256),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "ES384": lambda: ECKey.generate_key("P-384"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "RS384": lambda: RSAKey.generate_key(2048),
    "RS512": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}

Document = dict[str, Any]
Change = Callable[[Document, Document], None]


class SigningPair(msgspec.Struct, frozen=True):
    """A key to make tokens with and to check them with, and the JWK that peers import."""

    signing: SigningKey
    verifying: VerifyingKey
    jwk: dict[str, Any]


class Signed(msgspec.Struct, frozen=True):
    """A token, and what the primitive is given to check it."""

    token: bytes
    signing_input: bytes
    signature: bytes


def new_key(algorithm: Algorithm) -> SigningPair:
    """Make a key."""
    key = _GENERATE[algorithm]()
    jwk = {**key.as_dict(private=True), "alg": algorithm, "kid": key.thumbprint()}
    return SigningPair(signing_key(jwk, str(jwk["kid"])), verifying_key(jwk), jwk)


key_of: Final = cache(new_key)
"""Give the key of an algorithm that all cases of a process share: RSA keys take long to make."""


def sign(
    key: SigningPair,
    roles: Sequence[str] = ("moderator", "user"),
    change: Change | None = None,
    *,
    is_forged: bool = False,
) -> Signed:
    """Make a token with ids of its own; `change` may spoil its header and its claims."""
    header: Document = {"alg": key.signing.algorithm, "kid": key.signing.kid, "typ": "at+jwt"}
    claims = new_claims(roles)
    if change is not None:
        change(header, claims)
    signing_input = b".".join(_segment(msgspec.json.encode(part)) for part in (header, claims))
    signature = key.signing.sign(b"something else" if is_forged else signing_input)
    return Signed(b".".join((signing_input, _segment(signature))), signing_input, signature)


def several(key: SigningPair, **options: Any) -> list[Signed]:  # noqa: ANN401  # those of `sign`
    """Make as many tokens as a case needs."""
    return [sign(key, **options) for _ in range(TOKENS)]


def new_verifier(*keys: SigningPair) -> Verifier:
    """Make a verifier as Edge has it."""
    policy = ClaimsPolicy(issuer=ISSUER, audiences=frozenset({AUDIENCE}), leeway_s=5)
    verifier = Verifier([OwnTokens(policy)], most_remembered=10_000)
    verifier.replace_keys(ISSUER, [key.verifying for key in keys])
    return verifier


def forgetting(verifier: Verifier, *keys: SigningPair) -> Callable[[], None]:
    """Give what makes a verifier forget all tokens that it saw."""

    def forget() -> None:
        verifier.replace_keys(ISSUER, [])
        verifier.replace_keys(ISSUER, [key.verifying for key in keys])

    return forget


def now_s() -> float:
    """Give the time at which tokens are checked."""
    return time.time()


def _segment(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
