"""The page to try the routes on, and the OpenAPI document that it is made of."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from edge.http.assets import Asset, make_asset, send_asset
from edge.http.enforcement import PUBLIC
from edge.http.openapi.document import ApiDescription
from edge.http.own_router import OwnRouter
from edge.http.security_headers import security_headers

_METHODS: Final = [HttpMethod.GET, HttpMethod.HEAD]
_PAGE: Final = "page.html"
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}

# Stricter than other pages: the browser sends no form by itself, no text becomes markup or code.
_OPEN: Final = {
    **PUBLIC,
    **security_headers(
        "page",
        content_security_policy=(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            " connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        ),
    ),
}

Pages = Mapping[str, Asset]
AnyRequest = Request[Any, Any, Any]


@route("/docs", http_method=_METHODS, opt=_OPEN, sync_to_thread=False)
def page(request: AnyRequest, pages: NamedDependency[Pages]) -> Response[bytes]:
    path = request.scope.get("raw_path") or b""  # ASGI lets it be left out
    if path.endswith(b"/"):  # where the links of the page would lead elsewhere
        location = {"Location": "../docs"}
        return Response(b"", status_code=HTTPStatus.PERMANENT_REDIRECT, headers=location)
    return send_asset(request, pages[_PAGE])


@route("/docs/{name:str}", http_method=_METHODS, opt=_OPEN, sync_to_thread=False)
def part(
    request: AnyRequest, name: FromPath[str], pages: NamedDependency[Pages]
) -> Response[bytes]:
    if name not in pages or name == _PAGE:
        raise NotFoundException
    return send_asset(request, pages[name])


@route("/openapi.json", http_method=_METHODS, opt=dict(PUBLIC), sync_to_thread=False)
def openapi(request: AnyRequest, description: NamedDependency[ApiDescription]) -> Response[bytes]:
    return send_asset(request, description.of(request.app, request.scope["path_template"]))


def docs_routes(description: ApiDescription) -> OwnRouter:
    pages = _read_pages()
    return OwnRouter(
        path="/",
        include_in_schema=False,
        route_handlers=[page, part, openapi],
        dependencies={
            "description": Provide(lambda: description, sync_to_thread=False, use_cache=True),
            "pages": Provide(lambda: pages, sync_to_thread=False, use_cache=True),
        },
    )


def _read_pages() -> Pages:
    folder = files("edge.http").joinpath("docs_page")
    return {
        file.name: make_asset(file.read_bytes(), _MEDIA_TYPES[file.name.rpartition(".")[2]])
        for file in folder.iterdir()
    }
