"""Everything that touches joserfc: keys, signing, verifying, sealing keys for storage."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from joserfc import jwe, jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, KeySet, OctKey

from edge.reasons import Reason
from edge.tokens.claims import ACCESS_TOKEN_TYPE, AccessClaims, ClaimsPolicy
from edge.tokens.signing_key import SealedKey

ALGORITHM: Final = "ES256"

_CURVE: Final = "P-256"
_SEALING: Final = {"alg": "dir", "enc": "A256GCM"}
# Ours are about 700 bytes; nothing that long is decoded.
_MAX_TOKEN_LENGTH: Final = 8192

_encode_claims: Final = msgspec.json.Encoder().encode
_decode_claims: Final = msgspec.json.Decoder(AccessClaims).decode


class KeySealer:
    """Encrypts private keys with AES-256-GCM; `key` (32 bytes) is for this purpose alone."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)

    def generate(self) -> SealedKey:
        """Make a new signing key, named by its thumbprint (RFC 7638)."""
        key = ECKey.generate_key(_CURVE, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        plain = msgspec.json.encode(key.as_dict(private=True))
        return SealedKey(
            kid=_kid(key),
            algorithm=ALGORITHM,
            sealed_key=jwe.encrypt_compact({**_SEALING, "kid": _kid(key)}, plain, self._key),
        )

    def open(self, sealed: SealedKey) -> ECKey:
        """Decrypt a stored key.

        Raises:
            ValueError: it was sealed under another secret key, or is not the key it claims to be.
        """
        try:
            opened = jwe.decrypt_compact(
                sealed.sealed_key, self._key, algorithms=[*_SEALING.values()]
            )
            key = ECKey.import_key(msgspec.json.decode(opened.plaintext or b""))
        except (JoseError, ValueError) as error:
            message = f"signing key {sealed.kid} cannot be opened with this EDGE_SECRET_KEY"
            raise ValueError(message) from error
        if _kid(key) != sealed.kid or key.curve_name != _CURVE:
            message = f"signing key {sealed.kid} is not what its row says"
            raise ValueError(message)
        return key


class KeyRing:
    """The opened keys: the first one signs, all of them verify. Filled once, by `load`."""

    def __init__(self, policy: ClaimsPolicy) -> None:
        self._policy = policy
        self._registry = jws.JWSRegistry(algorithms=[ALGORITHM])
        self._signing: ECKey | None = None
        self._public: dict[str, ECKey] = {}

    def load(self, keys: Sequence[ECKey]) -> None:
        self._signing = keys[0] if keys else None
        self._public = {_kid(key): ECKey.import_key(key.as_dict(private=False)) for key in keys}

    @property
    def is_loaded(self) -> bool:
        return self._signing is not None

    def public_jwks(self) -> dict[str, Any]:
        """Give the JWK Set (RFC 7517) that others verify with; public parts only."""
        return dict(KeySet(list(self._public.values())).as_dict(private=False))

    def sign(self, claims: AccessClaims) -> str:
        """Sign claims with the active key.

        Raises:
            RuntimeError: no key is loaded.
        """
        if self._signing is None:
            message = "no signing key is loaded"
            raise RuntimeError(message)
        header = {"alg": ALGORITHM, "kid": _kid(self._signing), "typ": ACCESS_TOKEN_TYPE}
        return jws.serialize_compact(
            header, _encode_claims(claims), self._signing, registry=self._registry
        )

    def verify(self, token: str, now_s: float) -> AccessClaims | Reason:
        """Check a token: its form, key, signature and claims, in that order (RFC 8725)."""
        if len(token) > _MAX_TOKEN_LENGTH:
            return Reason.TOKEN_MALFORMED
        try:
            unproven = jws.extract_compact(token.encode("ascii"), registry=self._registry)
            key = self._key_for(unproven.headers())
            if isinstance(key, Reason):
                return key
            payload = jws.deserialize_compact(token, key, registry=self._registry).payload
            claims = _decode_claims(payload)
        except BadSignatureError:
            return Reason.SIGNATURE_INVALID
        except (JoseError, ValueError, TypeError):
            # TypeError too: joserfc 1.8 lets one out for an `alg` that is no string.
            return Reason.TOKEN_MALFORMED
        return self._policy.check(claims, now_s) or claims

    def _key_for(self, header: object) -> ECKey | Reason:
        if not isinstance(header, dict):  # joserfc does not look
            return Reason.TOKEN_MALFORMED
        kid = header.get("kid")
        if not isinstance(kid, str) or kid not in self._public:
            return Reason.KEY_UNKNOWN
        # RFC 9068 section 4: the media type may be written out, and case does not matter.
        if str(header.get("typ", "")).lower().removeprefix("application/") != ACCESS_TOKEN_TYPE:
            return Reason.TYPE_MISMATCH
        return self._public[kid]


def _kid(key: ECKey) -> str:
    kid = key.kid
    if kid is None:
        message = "a signing key without an id"
        raise ValueError(message)
    return kid
