"""Loading keys: what is malformed, weak or meant for something else is refused, with the reason.

The rules are those of RFC 7517 and 7518 with the strictness of RFC 8725 section 3.5: an algorithm
belongs to a key, and a key to one algorithm.
"""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn, cast

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from edge.tokens.jose.signatures import sign_with, verify_with
from edge.tokens.keys import Algorithm, KeyRefusedError, SigningKey, VerifyingKey
from edge.tokens.roca import is_roca

_MIN_RSA_BITS: Final = 2048
# Verifying takes time with the square of it; nobody has longer ones.
_MAX_RSA_BITS: Final = 8192
# RFC 7518 section 3.2: at least as long as the hash.
_MIN_SECRET_BYTES: Final = 32
_MIN_EXPONENT: Final = 3

_OF_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "Ed25519": "EdDSA"}
_OF_RSA: Final = ("RS256", "RS384", "RS512", "PS256")
_MALFORMED: Final = "the key is malformed"
_KEY_TYPES: Final[dict[str, type[Key]]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey, "oct": OctKey}


def import_key(jwk: Mapping[str, Any]) -> Key:
    """Import a JWK, public, private or secret.

    Raises:
        KeyRefusedError: it is malformed, weak, or not for signatures.
    """
    key_type = _KEY_TYPES.get(str(jwk.get("kty")))
    if key_type is None:
        _refuse(f"the key type {jwk.get('kty')!r} is not known")
    try:
        key = _import(key_type, dict(jwk))
        public_value(key)  # joserfc looks at the numbers only when they are needed
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeyRefusedError(_MALFORMED) from error
    _check_strength(key)
    _check_purpose(jwk)
    return key


def read_pem(text: str) -> dict[str, Any]:
    """Give a private key in PEM as a JWK.

    Raises:
        KeyRefusedError: it is none, of an unknown type, or behind a password.
    """
    for key_type in (ECKey, RSAKey, OKPKey):
        with suppress(JoseError, ValueError, TypeError):
            return dict(_import(key_type, text).as_dict(private=True))
    return _refuse("this is no private EC, RSA or Ed25519 key in PEM without a password")


def algorithm_of(key: Key, jwk: Mapping[str, Any], preferred: Sequence[str] = ()) -> Algorithm:
    """Give the one algorithm of a key: its `alg`, or the one that follows from its type.

    An RSA key without `alg` fits several; then it is the first RSA algorithm among `preferred`,
    or RS256.

    Raises:
        KeyRefusedError: `alg` does not fit the key, or Edge does not do it.
    """
    possible = _possible_algorithms(key)
    stated = jwk.get("alg")
    if stated is None:
        stated = next((name for name in preferred if name in possible), possible[0])
    if stated not in possible:
        _refuse(f"the algorithm {stated!r} does not fit the key")
    return cast("Algorithm", stated)


def verifying_key(
    jwk: Mapping[str, Any], *, preferred: Sequence[str] = (), kid: str | None = None
) -> VerifyingKey:
    """Prepare a key for verifying, under its own `kid` unless one is given.

    Raises:
        KeyRefusedError: the key is malformed, weak, not for verifying, or has no `kid`.
    """
    key = import_key(jwk)
    algorithm = algorithm_of(key, jwk, preferred)
    _check_operation(jwk, "verify")
    name = kid or jwk.get("kid")
    if not isinstance(name, str) or not name:
        _refuse("the key has no kid")
    return VerifyingKey(
        kid=name,
        algorithm=algorithm,
        thumbprint=key.thumbprint(),
        verify=verify_with(public_value(key), algorithm),
    )


def signing_key(jwk: Mapping[str, Any], kid: str) -> SigningKey:
    """Prepare a private key for signing.

    Raises:
        KeyRefusedError: the key is malformed, weak, public, or not for signing.
    """
    key = import_key(jwk)
    algorithm = algorithm_of(key, jwk)
    _check_operation(jwk, "sign")
    if not key.is_private:
        _refuse("the key is public: it cannot sign")
    private = key.raw_value if isinstance(key, OctKey) else key.private_key
    return SigningKey(kid=kid, algorithm=algorithm, sign=sign_with(private, algorithm))


def public_value(key: Key) -> Any:  # noqa: ANN401  # a public key of `cryptography`, or bytes
    """Give what verifies."""
    return key.raw_value if isinstance(key, OctKey) else cast("Any", key).public_key


def _import(key_type: type[Key], value: Any) -> Key:  # noqa: ANN401  # a JWK or PEM
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # what is weak is refused, see below
        return key_type.import_key(value)


def _possible_algorithms(key: Key) -> Sequence[str]:
    if isinstance(key, RSAKey):
        return _OF_RSA
    if isinstance(key, OctKey):
        return ("HS256",)
    curve = getattr(key, "curve_name", None)
    if curve not in _OF_CURVE:
        _refuse("the curve is not one that Edge signs with")
    return (_OF_CURVE[curve],)


def _check_strength(key: Key) -> None:
    if isinstance(key, OctKey) and len(key.raw_value) < _MIN_SECRET_BYTES:
        _refuse(f"the secret is shorter than {_MIN_SECRET_BYTES} bytes")
    if not isinstance(key, RSAKey):
        return
    numbers = key.public_key.public_numbers()
    bits = numbers.n.bit_length()
    if not _MIN_RSA_BITS <= bits <= _MAX_RSA_BITS:
        _refuse(f"the modulus has {bits} bits, not {_MIN_RSA_BITS} to {_MAX_RSA_BITS}")
    if numbers.e < _MIN_EXPONENT or numbers.e % 2 == 0:
        _refuse("the exponent is too small or even")
    if is_roca(numbers.n):
        _refuse("the modulus was made by a broken generator (ROCA)")


def _check_purpose(jwk: Mapping[str, Any]) -> None:
    if jwk.get("use", "sig") != "sig":
        _refuse("the key is not for signatures (use)")


def _check_operation(jwk: Mapping[str, Any], operation: str) -> None:
    operations = jwk.get("key_ops")
    if operations is None:
        return
    # Whoever may sign may verify too: RFC 7517 section 4.3 wants operations that belong together.
    accepted = {"sign", "verify"} if operation == "verify" else {"sign"}
    if not isinstance(operations, list) or accepted.isdisjoint(map(str, operations)):
        _refuse(f"the key is not for this operation (key_ops): {operation}")


def _refuse(message: str) -> NoReturn:
    raise KeyRefusedError(message)
