"""The answer that carries tokens (RFC 6749 section 5.1), the same for OAuth and for own apps."""

from typing import Final

import msgspec
from litestar import Response

from edge.access.sign_in import SignedIn

# Section 5.1 asks for both; Pragma is for HTTP/1.0 caches.
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Tokens(msgspec.Struct, frozen=True):
    """`expires_in` is in seconds and about the access token; `scope` is what was granted."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    scope: str

    def __repr__(self) -> str:
        return "Tokens(********)"


def token_answer(signed_in: SignedIn) -> Response[Tokens]:
    body = Tokens(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106  # a type, not a token
        expires_in=signed_in.expires_in_s,
        scope=" ".join(signed_in.scopes),
    )
    return Response(body, headers=dict(NO_STORE))
