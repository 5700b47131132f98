"""Signing keys at rest: encrypted with AES-256-GCM under a key derived from the secret key."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from edge.tokens.jose.keys import algorithm_of, import_key, signing_key, verifying_key
from edge.tokens.keys import Algorithm, KeyRefusedError
from edge.tokens.signing_key import OpenedKey, SealedKey

_SEALING: Final = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS: Final = [*_SEALING.values()]
_RSA_BITS: Final = 2048
_SECRET_BITS: Final = 256
# As long as the column, and nothing that an address or a log would have to escape.
_KID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class KeySealer:
    """Seals private keys with the first of `keys`, opens what was sealed with any of them.

    Each key has 32 bytes and is for this purpose alone.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [OctKey.import_key(key) for key in keys]

    def generate(self, algorithm: Algorithm) -> SealedKey:
        """Make a new signing key, named by its thumbprint (RFC 7638)."""
        return self.seal(_generate(algorithm).as_dict(private=True), algorithm)

    def seal(self, jwk: Mapping[str, Any], algorithm: Algorithm | None = None) -> SealedKey:
        """Seal a private key under its `kid`, or its thumbprint where it has none.

        Raises:
            KeyRefusedError: it is malformed, weak, public or not for signing.
        """
        key = import_key(jwk)
        kid = str(jwk.get("kid") or key.thumbprint())
        if not _KID.fullmatch(kid):
            message = "its kid is not 1 to 64 of A-Z a-z 0-9 . _ ~ -"
            raise KeyRefusedError(message)
        chosen = algorithm or algorithm_of(key, jwk)
        signing_key({**jwk, "alg": chosen}, kid)
        plain = msgspec.json.encode({**key.as_dict(private=True), "kid": kid, "alg": chosen})
        return SealedKey(
            kid=kid,
            algorithm=chosen,
            sealed_key=jwe.encrypt_compact({**_SEALING, "kid": kid}, plain, self._keys[0]),
        )

    def open(self, sealed: SealedKey) -> OpenedKey:
        """Decrypt a stored key and prepare it.

        Raises:
            ValueError: it was sealed under another secret key, or is not the key it claims to be.
        """
        jwk, is_current = self._decrypt(sealed)
        try:
            signing, verifying = signing_key(jwk, sealed.kid), verifying_key(jwk)
        except KeyRefusedError as error:
            message = f"signing key {sealed.kid} cannot be used: {error}"
            raise ValueError(message) from error
        if (verifying.kid, verifying.algorithm) != (sealed.kid, sealed.algorithm):
            message = f"signing key {sealed.kid} is not what its row says"
            raise ValueError(message)
        return OpenedKey(
            signing=signing,
            verifying=verifying,
            public_jwk=_public_jwk(jwk),
            is_current=is_current,
        )

    def reseal(self, sealed: SealedKey) -> SealedKey:
        """Seal a stored key under the first of the keys; raises as `open` does."""
        jwk, _ = self._decrypt(sealed)
        return self.seal(jwk)

    def _decrypt(self, sealed: SealedKey) -> tuple[dict[str, Any], bool]:
        """Give the private key, and whether the first of the keys sealed it."""
        for key in self._keys:
            try:
                opened = jwe.decrypt_compact(sealed.sealed_key, key, algorithms=_ALGORITHMS)
                jwk = msgspec.json.decode(opened.plaintext or b"", type=dict[str, Any])
                return jwk, key is self._keys[0]
            except (JoseError, ValueError):
                continue
        message = f"signing key {sealed.kid} cannot be opened with this EDGE_SECRET_KEY"
        raise ValueError(message)


def _generate(algorithm: Algorithm) -> Key:
    match algorithm:
        case "ES256":
            return ECKey.generate_key("P-256")
        case "ES384":
            return ECKey.generate_key("P-384")
        case "EdDSA":
            return OKPKey.generate_key("Ed25519")
        case "HS256":
            return OctKey.generate_key(_SECRET_BITS)
        case _:
            return RSAKey.generate_key(_RSA_BITS)


def _public_jwk(jwk: Mapping[str, Any]) -> dict[str, Any] | None:
    key = import_key(jwk)
    if isinstance(key, OctKey):
        return None
    public = key.as_dict(private=False)
    return {**public, "kid": jwk["kid"], "use": "sig", "alg": jwk["alg"]}
