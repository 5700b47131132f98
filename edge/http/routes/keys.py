"""The public keys that others verify our tokens with (RFC 7517)."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from edge.http.enforcement import PUBLIC
from edge.tokens.ports import PublicKeys


@get(
    "/.well-known/jwks.json",
    opt=dict(PUBLIC),
    summary="The keys that access tokens are verified with",
    sync_to_thread=False,
)
def jwks(public_keys: NamedDependency[PublicKeys]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(public_keys.public_jwks()),
        media_type="application/jwk-set+json",
        headers={"Cache-Control": "public, max-age=300"},
    )
