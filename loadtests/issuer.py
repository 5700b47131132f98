"""Access tokens that the generator signs itself, as an issuer that Edge was told to trust.

64,000 logins would measure argon2; 64,000 signatures take seconds, and Edge checks each of them as
it checks its own.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_COORDINATE_BYTES: Final = 32  # P-256, RFC 7518 section 3.4
_ES256: Final = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True)
class Issuer:
    """A key that signs; `kid` is what Edge knows its public part by."""

    key: ec.EllipticCurvePrivateKey
    kid: str = "loadtest-1"

    def sign(self, claims: dict[str, Any], *, kid: str | None = None) -> str:
        """Give a token with these claims (RFC 7515 section 7.1, RFC 9068)."""
        header = {"alg": "ES256", "kid": kid or self.kid, "typ": "at+jwt"}
        signed = f"{_encode(_json(header))}.{_encode(_json(claims))}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), _ES256))
        signature = r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")
        return f"{signed}.{_encode(signature)}"

    def key_set(self) -> dict[str, Any]:
        """Give the public key as Edge reads it (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(_COORDINATE_BYTES, "big") for number in (numbers.x, numbers.y))
        return {
            "keys": [
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "alg": "ES256",
                    "use": "sig",
                    "kid": self.kid,
                    "x": _encode(x),
                    "y": _encode(y),
                }
            ]
        }


def make_issuer(folder: Path) -> Path:
    """Write a new key and its key set into a folder; gives the file with the key."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "issuer-key.pem"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(text)
    (folder / "jwks.json").write_text(json.dumps(Issuer(key).key_set()))
    return file


def read_issuer(file: Path) -> Issuer:
    """Read a key that `make_issuer` wrote.

    Raises:
        ValueError: it is no private key of the curve P-256.
    """
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        message = f"{file} has no private key of the curve P-256"
        raise ValueError(message)  # noqa: TRY004  # its content is wrong, no type in the code
    return Issuer(key)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
