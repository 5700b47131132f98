"""The least that checking a token can cost: the primitive on the same bytes, on a prepared key."""

import hmac
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from benchmarks.material.tokens import ALGORITHMS, Signed, key_of, several
from edge.tokens.jose.keys import import_key, public_value
from edge.tokens.keys import Algorithm

_PSS: Final = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)

Check = Callable[[Signed], object]


def _primitive(algorithm: Algorithm, key: Any) -> Check:  # noqa: ANN401  # of `cryptography`
    match algorithm:
        case "HS256":
            digest, are_equal = hmac.digest, hmac.compare_digest
            return lambda one: are_equal(digest(key, one.signing_input, "sha256"), one.signature)
        case "ES256":
            return _ecdsa(key, SHA256(), 32)
        case "ES384":
            return _ecdsa(key, SHA384(), 48)
        case "RS256":
            return _verifying(key, padding.PKCS1v15(), SHA256())
        case "PS256":
            return _verifying(key, _PSS, SHA256())
        case _:
            return _verifying(key)


def _verifying(key: Any, *arguments: object) -> Check:  # noqa: ANN401
    def check(one: Signed) -> bool:
        key.verify(one.signature, one.signing_input, *arguments)
        return True

    return check


def _ecdsa(key: Any, hashed: HashAlgorithm, size: int) -> Check:  # noqa: ANN401
    """Turn r||s, as JWS has it, into DER, as the library wants it."""
    how, to_int = ec.ECDSA(hashed), int.from_bytes

    def check(one: Signed) -> bool:
        signature = one.signature
        r, s = to_int(signature[:size], "big"), to_int(signature[size:], "big")
        key.verify(encode_dss_signature(r, s), one.signing_input, how)
        return True

    return check


def _floor(algorithm: Algorithm) -> Batch:
    key = key_of(algorithm)
    check = _primitive(algorithm, public_value(import_key(key.jwk)))
    good, forged = several(key), several(key, is_forged=True)[0]
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
