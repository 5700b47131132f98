"""JWK Sets of others (RFC 7517 section 5), from bytes to prepared keys."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec

from edge.tokens.jose.keys import verifying_key
from edge.tokens.key_sets import FetchedKeys
from edge.tokens.keys import ALGORITHMS, KeyRefusedError, VerifyingKey
from edge.tokens.strict_json import read_members

_MOST_KEYS: Final = 100
# RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2.
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})

Jwks = Sequence[Mapping[str, Any]]


def parse_key_set(document: bytes, allowed: Collection[str]) -> FetchedKeys:
    """Prepare the keys of these algorithms; others are left out.

    Raises:
        KeyRefusedError: this is no set to trust, or none of its keys can be used.
    """
    try:
        read_members(document)
        content = msgspec.json.decode(document)
    except ValueError as error:
        message = "this is no JSON object without repeated members"
        raise KeyRefusedError(message) from error
    keys, left_out = key_set(content, allowed=allowed)
    if not keys:
        _refuse("no key of the set can be used")
    return FetchedKeys(keys, left_out)


def key_set(
    document: object, *, allowed: Collection[str] = ALGORITHMS
) -> tuple[list[VerifyingKey], list[str]]:
    """Prepare the keys of a JWK Set, and say which were left out and why.

    Keys that are of an unknown type, for encryption, refused, or of another algorithm than
    `allowed` are left out. A set that shows private keys, mixes secrets with public ones, names two
    keys for signatures the same, or has more than 100 is no set to trust.

    Raises:
        KeyRefusedError: the whole set is refused.
    """
    jwks = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(jwks, list) or not all(isinstance(jwk, dict) for jwk in jwks):
        _refuse("this is no JWK Set")
    if len(jwks) > _MOST_KEYS:
        _refuse(f"the set has more than {_MOST_KEYS} keys")
    _check_secrecy(jwks)
    _check_names(jwks)
    keys = []
    left_out = []
    for jwk in jwks:
        try:
            keys.append(_verifying_key(jwk, allowed))
        except KeyRefusedError as error:
            left_out.append(f"{jwk.get('kid')!r}: {error}")
    return keys, left_out


def _verifying_key(jwk: Mapping[str, Any], allowed: Collection[str]) -> VerifyingKey:
    key = verifying_key(jwk, preferred=tuple(allowed))
    if key.algorithm not in allowed:
        _refuse(f"the algorithm {key.algorithm} is not allowed")
    return key


def _check_secrecy(jwks: Jwks) -> None:
    """Refuse a set with which whoever reads it could sign."""
    if len({jwk.get("kty") == "oct" for jwk in jwks}) > 1:
        _refuse("the set mixes secrets with public keys")
    if any(_PRIVATE & jwk.keys() for jwk in jwks):
        _refuse("the set shows private keys")


def _check_names(jwks: Jwks) -> None:
    """Refuse two names alike among keys for signatures, malformed ones too: others may take them.

    A key for encryption may be called like one for signatures: which is meant is clear.
    """
    named = [str(jwk["kid"]) for jwk in jwks if "kid" in jwk and jwk.get("use", "sig") == "sig"]
    if len(set(named)) < len(named):
        _refuse("two keys have the same kid")


def _refuse(message: str) -> NoReturn:
    raise KeyRefusedError(message)
