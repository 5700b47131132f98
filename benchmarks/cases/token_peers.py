"""Other libraries that verify the same tokens: signature, issuer, audience and expiry.

Everything is prepared that they let one prepare. None of them looks at `typ` or at revocations.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import jwt as pyjwt
from joserfc import jwt as joserfc_jwt
from joserfc.jws import JWSRegistry

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from benchmarks.material.tokens import SigningPair, key_of, several
from benchmarks.peers.agreed import AUDIENCE, ISSUER
from edge.tokens.jose.keys import import_key, public_value
from edge.tokens.keys import Algorithm

Check = Callable[[bytes], object]


def with_pyjwt(algorithm: Algorithm, key: SigningPair) -> Check:
    prepared = public_value(import_key(key.jwk))
    options: Any = {"require": ["iss", "aud", "exp"]}
    given = {"algorithms": [algorithm], "issuer": ISSUER, "audience": AUDIENCE, "options": options}
    return lambda token: pyjwt.decode(token, prepared, **given)


def with_joserfc(algorithm: Algorithm, key: SigningPair) -> Check:
    prepared = import_key(key.jwk)
    jws = JWSRegistry(algorithms=[algorithm])
    claims = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )

    def check(token: bytes) -> bool:
        claims.validate(joserfc_jwt.decode(token, prepared, registry=jws).claims)
        return True

    return check


def with_authlib(algorithm: Algorithm, key: SigningPair) -> Check:
    import authlib.deprecate  # noqa: PLC0415  # it makes its warnings heard

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
        from authlib.jose import JsonWebKey, JsonWebToken  # noqa: PLC0415
    prepared, tokens = JsonWebKey.import_key(key.jwk), JsonWebToken([algorithm])
    options = {
        "iss": {"essential": True, "value": ISSUER},
        "aud": {"essential": True, "value": AUDIENCE},
        "exp": {"essential": True},
    }

    def check(token: bytes) -> bool:
        tokens.decode(token, prepared, claims_options=options).validate()
        return True

    return check


def with_python_jose(algorithm: Algorithm, key: SigningPair) -> Check:
    from jose import jwk, jwt  # noqa: PLC0415

    prepared = jwk.construct(_public(key.jwk), algorithm)

    def check(token: bytes) -> object:
        return jwt.decode(
            token.decode("ascii"),
            prepared,
            algorithms=[algorithm],
            audience=AUDIENCE,
            issuer=ISSUER,
        )

    return check


def _public(jwk: Mapping[str, Any]) -> dict[str, Any]:
    private = {"d", "p", "q", "dp", "dq", "qi"}
    return {name: value for name, value in jwk.items() if name not in private}


_PEERS: Final[
    Mapping[str, tuple[Callable[[Algorithm, SigningPair], Check], Sequence[Algorithm]]]
] = {
    "pyjwt": (with_pyjwt, ("HS256", "ES256", "RS256", "EdDSA")),
    "joserfc": (with_joserfc, ("HS256", "ES256", "RS256", "EdDSA")),
    "authlib": (with_authlib, ("HS256", "ES256", "RS256", "EdDSA")),
    "python-jose": (with_python_jose, ("HS256", "ES256", "RS256")),
}


def _peer(make: Callable[[Algorithm, SigningPair], Check], algorithm: Algorithm) -> Batch:
    key = key_of(algorithm)
    check = make(algorithm, key)
    tokens = [one.token for one in several(key)]
    _see_that_it_refuses(check, several(key, is_forged=True)[0].token)
    return calling(check, tokens, bool)


def _see_that_it_refuses(check: Check, forged: bytes) -> None:
    """Whoever accepts everything is fast."""
    try:
        check(forged)
    except Exception:  # noqa: BLE001  # each has exceptions of its own
        return
    message = "it accepts a forged token"
    raise RuntimeError(message)


CASES: Final[Sequence[Case]] = [
    Case(
        id=f"peer/{name}/{algorithm.lower()}",
        open=ready(partial(_peer, make, algorithm)),
    )
    for name, (make, algorithms) in _PEERS.items()
    for algorithm in algorithms
]
