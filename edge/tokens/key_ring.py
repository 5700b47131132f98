"""The signing keys of this Edge, opened."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from edge.tokens.claims import ACCESS_TOKEN_TYPE, AccessClaims
from edge.tokens.signing_key import OpenedKey
from edge.tokens.verifier import Verifier

_encode_claims: Final = msgspec.json.Encoder().encode


class KeyRing:
    """The opened keys: the first one signs, all of them verify. Filled by `load`."""

    def __init__(self, verifier: Verifier, issuer: str) -> None:
        self._verifier = verifier
        self._issuer = issuer
        self._keys: Sequence[OpenedKey] = ()

    def load(self, keys: Sequence[OpenedKey]) -> None:
        self._keys = keys
        self._verifier.replace_keys(self._issuer, [key.verifying for key in keys])

    def public_jwks(self) -> dict[str, Any]:
        """Give the JWK Set (RFC 7517) that others verify with; public parts only."""
        return {"keys": [key.public_jwk for key in self._keys if key.public_jwk is not None]}

    def sign(self, claims: AccessClaims) -> str:
        """Sign claims with the active key.

        Raises:
            RuntimeError: no key is loaded.
        """
        if not self._keys:
            message = "no signing key is loaded"
            raise RuntimeError(message)
        key = self._keys[0].signing
        header = {"alg": key.algorithm, "kid": key.kid, "typ": ACCESS_TOKEN_TYPE}
        signing_input = b".".join(
            (_to_base64url(_encode_claims(header)), _to_base64url(_encode_claims(claims)))
        )
        return b".".join((signing_input, _to_base64url(key.sign(signing_input)))).decode("ascii")


def _to_base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
