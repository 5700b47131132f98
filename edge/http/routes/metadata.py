"""What this authorization server can do, for clients to configure themselves (RFC 8414)."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.response import Response

from edge.accounts.client import GRANT_TYPES
from edge.http.enforcement import PUBLIC
from edge.http.tags import OAUTH

_WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
_WITH_SECRET: Final = ("client_secret_basic", "client_secret_post")


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The members of section 2 that apply.

    `response_types_supported` is not among them: there is no authorization endpoint, so it would be
    an empty array, which section 3.2 forbids.
    """

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    introspection_endpoint: str
    introspection_endpoint_auth_methods_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...] = ()


def make_metadata(issuer: str, *, grants: Iterable[str], scopes: Iterable[str]) -> Metadata:
    return Metadata(
        issuer=issuer,
        token_endpoint=f"{issuer}/token",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        grant_types_supported=tuple(sorted(grants, key=GRANT_TYPES.index)),
        token_endpoint_auth_methods_supported=("none", *_WITH_SECRET),
        revocation_endpoint=f"{issuer}/oauth/revoke",
        revocation_endpoint_auth_methods_supported=("none", *_WITH_SECRET),
        introspection_endpoint=f"{issuer}/oauth/introspect",
        introspection_endpoint_auth_methods_supported=_WITH_SECRET,
        scopes_supported=tuple(sorted(scopes)),
    )


def metadata_route(metadata: Metadata, *, max_age_s: int) -> HTTPRouteHandler:
    """Make the route; its path is inserted before that of the issuer (section 3.1)."""
    document = msgspec.json.encode(metadata)
    headers = {"Cache-Control": f"public, max-age={max_age_s}"}

    @get(
        _WELL_KNOWN + urlsplit(metadata.issuer).path,
        opt=dict(PUBLIC),
        tags=[OAUTH],
        summary="What this authorization server can do (RFC 8414)",
        responses={
            HTTPStatus.OK: ResponseSpec(
                Metadata, generate_examples=False, description="Its metadata."
            )
        },
        sync_to_thread=False,
    )
    def authorization_server() -> Response[bytes]:
        return Response(document, media_type="application/json", headers=dict(headers))

    return authorization_server
