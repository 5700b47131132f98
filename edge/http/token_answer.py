"""The answer that carries tokens (RFC 6749 section 5.1), the same for OAuth and for own apps."""

from typing import Final

import msgspec
from litestar import Response

from edge.access.sign_in import Granted, SignedIn

# Section 5.1 asks for both; Pragma is for HTTP/1.0 caches.
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Tokens(msgspec.Struct, frozen=True):
    """`expires_in` is in seconds and about the access token; `scope` is what was granted."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return "Tokens(********)"


def token_answer(granted: Granted) -> Response[Tokens]:
    refresh_token = granted.refresh_token if isinstance(granted, SignedIn) else None
    body = Tokens(
        access_token=granted.access_token,
        token_type="Bearer",  # noqa: S106  # a type, not a token
        expires_in=granted.expires_in_s,
        scope=" ".join(granted.scopes),
        refresh_token=refresh_token or msgspec.UNSET,
    )
    return Response(body, headers=dict(NO_STORE))
