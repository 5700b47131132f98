"""The public keys that others verify our tokens with (RFC 7517)."""

from typing import Any

from litestar import Request, Response, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod

from edge.http.enforcement import PUBLIC
from edge.http.validators import matches
from edge.tokens.ports import PublicKeys


@route(
    "/.well-known/jwks.json",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=dict(PUBLIC),
    summary="The keys that access tokens are verified with",
    sync_to_thread=False,
)
def jwks(
    request: Request[Any, Any, Any], public_keys: NamedDependency[PublicKeys]
) -> Response[bytes]:
    jwk_set = public_keys.jwk_set
    max_age_s = jwk_set.max_age_s
    caching = f"public, max-age={max_age_s}" if max_age_s else "no-cache"
    headers = {"Cache-Control": caching, "ETag": jwk_set.etag}
    if matches(request.headers.getall("if-none-match", []), jwk_set.etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(jwk_set.body, media_type="application/jwk-set+json", headers=headers)
