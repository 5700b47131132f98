"""What this is, where things are, and the machine-readable description of it all."""

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.serialization import encode_json

from edge.http.enforcement import PUBLIC

_EXAMPLES = (
    "/bearer-protected",
    "/basic-protected",
    "/user-area",
    "/moderator-area",
    "/admin-area",
)


class About(msgspec.Struct, frozen=True):
    """Set once by the composition root: what `GET /` says."""

    name: str
    version: str
    issuer: str
    shows_examples: bool


@get("/", opt=dict(PUBLIC), summary="What this is, and links", sync_to_thread=False)
def home(about: NamedDependency[About]) -> dict[str, object]:
    links = {
        "openapi": "/openapi.json",
        "token": "/token",
        "login": "/login",
        "refresh": "/refresh-token",
        "logout": "/logout",
        "profile": "/users/me",
        "jwks": "/.well-known/jwks.json",
        "live": "/livez",
        "ready": "/readyz",
    }
    return {
        "name": about.name,
        "is": "the authentication, authorization and rate-limit edge",
        "version": about.version,
        "issuer": about.issuer,
        "links": links,
        "examples": list(_EXAMPLES) if about.shows_examples else [],
    }


@get("/openapi.json", opt=dict(PUBLIC), include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[object, object, object]) -> Response[bytes]:  # type: ignore[type-var] # any state
    document = encode_json(request.app.openapi_schema.to_schema())
    return Response(document, media_type=MediaType.JSON)
