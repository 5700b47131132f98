"""The public keys that others verify our tokens with (RFC 7517)."""

from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, route
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.openapi import ResponseSpec

from edge.http.enforcement import PUBLIC
from edge.http.tags import OAUTH
from edge.http.validators import matches
from edge.tokens.ports import PublicKeys

_MEDIA_TYPE: Final = "application/jwk-set+json"


class JwkSet(msgspec.Struct, frozen=True):
    """A JWK Set (RFC 7517 section 5), of the public parts of keys."""

    keys: list[dict[str, object]]


@route(
    "/.well-known/jwks.json",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=dict(PUBLIC),
    tags=[OAUTH],
    summary="The keys that access tokens are verified with",
    description="A JWK Set (RFC 7517), to be kept for as long as `Cache-Control` says.",
    response_headers=[
        ResponseHeader("ETag", documentation_only=True, description="Names this set of keys."),
        ResponseHeader(
            "Cache-Control", documentation_only=True, description="How long to keep it."
        ),
    ],
    responses={
        HTTPStatus.OK: ResponseSpec(
            JwkSet, generate_examples=False, description="The keys.", media_type=_MEDIA_TYPE
        ),
        HTTPStatus.NOT_MODIFIED: ResponseSpec(
            None, description="They are those that `If-None-Match` names."
        ),
    },
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
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(jwk_set.body, media_type=_MEDIA_TYPE, headers=headers)
