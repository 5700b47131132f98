"""The least that checking a token can cost: the primitive on the same bytes, on a prepared key."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from benchmarks.material.tokens import ALGORITHMS, Signed, key_of, several
from edge.tokens.jose.keys import import_key, public_value
from edge.tokens.keys import Algorithm

_PSS: Final = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
# What `verify` of a key is given beside the signature and the bytes.
_HOW: Final[Mapping[Algorithm, tuple[object, ...]]] = {
    "ES256": (ec.ECDSA(SHA256()),),
    "ES384": (ec.ECDSA(SHA384()),),
    "RS256": (padding.PKCS1v15(), SHA256()),
    "RS384": (padding.PKCS1v15(), SHA384()),
    "RS512": (padding.PKCS1v15(), SHA512()),
    "PS256": (_PSS, SHA256()),
    "EdDSA": (),
}

Check = Callable[[Signed], object]


def _primitive(algorithm: Algorithm, key: Any) -> Check:  # noqa: ANN401  # of `cryptography`
    if algorithm != "HS256":
        return _verifying(key, *_HOW[algorithm])
    digest, are_equal = hmac.digest, hmac.compare_digest
    return lambda one: are_equal(digest(key, one.signing_input, "sha256"), one.signature)


def _verifying(key: Any, *arguments: object) -> Check:  # noqa: ANN401
    def check(one: Signed) -> bool:
        key.verify(one.signature, one.signing_input, *arguments)
        return True

    return check


def _as_wanted(algorithm: Algorithm, one: Signed) -> Signed:
    """Turn r||s, as JWS has it, into DER, as the library wants it; others are as they are."""
    if not algorithm.startswith("ES"):
        return one
    half = len(one.signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (one.signature[:half], one.signature[half:]))
    return msgspec.structs.replace(one, signature=encode_dss_signature(r, s))


def _floor(algorithm: Algorithm) -> Batch:
    key = key_of(algorithm)
    check = _primitive(algorithm, public_value(import_key(key.jwk)))
    good = [_as_wanted(algorithm, one) for one in several(key)]
    forged = _as_wanted(algorithm, several(key, is_forged=True)[0])
    if _passes(check, forged):
        message = f"the floor of {algorithm} lets a forged token pass"
        raise RuntimeError(message)
    return calling(check, good, bool)


def _passes(check: Check, one: Signed) -> bool:
    try:
        return bool(check(one))
    except InvalidSignature:
        return False


def _digest_and_look_up() -> Batch:
    tokens = [one.token for one in several(key_of("ES256"))]
    known = {sha256(token).digest(): token for token in tokens}
    recall = known.get
    return calling(lambda token: recall(sha256(token).digest()), tokens, bool)


CASES: Final[Sequence[Case]] = [
    Case(id="floor/digest-and-look-up", open=ready(_digest_and_look_up)),
    *(
        Case(
            id=f"floor/verify-{algorithm.lower()}",
            open=ready(partial(_floor, algorithm)),
        )
        for algorithm in ALGORITHMS
    ),
]
