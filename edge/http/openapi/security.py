"""Ways to authenticate, as the OpenAPI document has them. Pure."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from edge.http.openapi.declaration import Declaration

Json = dict[str, Any]

_TOKEN_PATH: Final = "/token"  # noqa: S105  # a path
_FLOWS: Final = {"password": "password", "client_credentials": "clientCredentials"}

_SCHEMES: Final[dict[str, Json]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token, from `/login` or `/token`.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The username and the password of an account, in UTF-8.",
    },
    "client": {
        "type": "http",
        "scheme": "basic",
        "description": "The id and the secret of an OAuth client that has one.",
    },
}


def security_schemes(
    scopes: Mapping[str, Collection[str]], grants: Collection[str]
) -> dict[str, Json]:
    """Give all there are: `scopes` names the roles that may hold each, `grants` are those on."""
    held_by = {scope: f"Held by {', '.join(roles)}" for scope, roles in sorted(scopes.items())}
    flow: Json = {"tokenUrl": _TOKEN_PATH, "scopes": held_by}
    renewed = {**flow, "refreshUrl": _TOKEN_PATH} if "refresh_token" in grants else flow
    flows = {
        name: renewed if grant == "password" else flow
        for grant, name in _FLOWS.items()
        if grant in grants
    }
    oauth2 = {"type": "oauth2", "description": "Access tokens by OAuth 2.0.", "flows": flows}
    return {**_SCHEMES, "oauth2": oauth2}


def requirements(route: Declaration) -> list[dict[str, list[str]]]:
    """Give what a request needs, as alternatives; none where everybody may."""
    if route.is_oauth:
        return [{"client": []}, {}]
    found: list[dict[str, list[str]]] = []
    if "bearer" in route.methods:
        found += [{"bearer": []}, {"oauth2": list(route.scopes)}]
    if "basic" in route.methods:
        found.append({"basic": []})
    return found


def needs(route: Declaration) -> str:
    """Say which roles and scopes a request needs, in sentences."""
    roles = [" or ".join(f"`{role}`" for role in sufficient) for sufficient in route.roles]
    sentences = [f"Needs the role {text}." for text in roles]
    if route.scopes:
        sentences.append(f"Needs the scope {' and '.join(f'`{s}`' for s in route.scopes)}.")
    return " ".join(sentences)
