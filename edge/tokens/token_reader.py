"""What differs between issuers when their tokens are verified."""

from collections.abc import Callable
from typing import Any, Protocol

from edge.reasons import Reason
from edge.tokens.claims import ClaimsPolicy, VerifiedToken


class TokenReader(Protocol):
    """Reads the claims of one issuer's tokens."""

    policy: ClaimsPolicy

    @property
    def decode(self) -> Callable[[bytes], Any]:  # each reader has claims of its own
        """Decode a payload of which nothing is proven, in one pass; the claims have an `iss`.

        It raises `ValueError` for malformed ones, and takes the last of members repeated.
        """
        ...

    @property
    def check(self) -> Callable[[Any, float], Reason | None]:
        """Say why the claims do not hold at that time, None where they do."""
        ...

    @property
    def encode(self) -> Callable[[Any], bytes]:
        """Write claims as a payload, each of them once.

        Whoever sends that payload repeated no member; any other is searched.
        """
        ...

    def accept(self, claims: Any, payload: bytes, key_retires_at_s: float) -> VerifiedToken:  # noqa: ANN401
        """Give what claims that hold come to, signed by a key that counts until then.

        Raises `ValueError` where they make no sense.
        """
        ...
