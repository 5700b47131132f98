"""What this is, and where things are."""

from typing import Final

import msgspec
from litestar import get
from litestar.di import NamedDependency

from edge.http.enforcement import PUBLIC
from edge.http.tags import OPERATION

_LINKS: Final = {
    "token": "/token",
    "login": "/login",
    "refresh": "/refresh-token",
    "logout": "/logout",
    "profile": "/users/me",
    "jwks": "/.well-known/jwks.json",
    "live": "/livez",
    "ready": "/readyz",
}
_DOCS: Final = {"docs": "/docs", "openapi": "/openapi.json"}
_EXAMPLES: Final = (
    "/bearer-protected",
    "/basic-protected",
    "/user-area",
    "/moderator-area",
    "/admin-area",
)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Set once by the composition root: what `GET /` says."""

    name: str
    version: str
    issuer: str
    shows_examples: bool
    shows_docs: bool


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """What this is; `links` and `examples` are paths."""

    name: str
    is_: str = msgspec.field(name="is")
    version: str
    issuer: str
    links: dict[str, str]
    examples: list[str]


@get(
    "/",
    opt=dict(PUBLIC),
    tags=[OPERATION],
    summary="What this is, and links",
    sync_to_thread=False,
)
def home(about: NamedDependency[About]) -> Home:
    return Home(
        name=about.name,
        is_="the authentication, authorization and rate-limit edge",
        version=about.version,
        issuer=about.issuer,
        links={**(_DOCS if about.shows_docs else {}), **_LINKS},
        examples=list(_EXAMPLES) if about.shows_examples else [],
    )
