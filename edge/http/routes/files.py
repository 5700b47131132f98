"""The files of a folder, for everybody: an example, where a folder is configured."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from litestar import HttpMethod, Request, route
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.openapi import ResponseSpec
from litestar.types import ASGIApp

from edge.http.enforcement import PUBLIC
from edge.http.files.answer import answer_with_file
from edge.http.files.folder import ServedFolder
from edge.http.files.names import names_in
from edge.http.tags import EXAMPLES
from edge.reasons import Reason

_FILES: Final = {
    HTTPStatus.OK: "The file.",
    HTTPStatus.PARTIAL_CONTENT: "The part that `Range` asks for; `Content-Range` says which.",
}


@route(
    "/files/{path:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=dict(PUBLIC),
    summary="A file of the served folder",
    description=(
        "Conditions (`If-None-Match`, `If-Modified-Since`, `If-Match`, `If-Unmodified-Since`) and "
        "one `Range`, with `If-Range`, are taken as in RFC 9110."
    ),
    responses={
        **{
            status: ResponseSpec(bytes, generate_examples=False, description=text, media_type="*/*")
            for status, text in _FILES.items()
        },
        HTTPStatus.NOT_MODIFIED: ResponseSpec(
            None, description="It is what `If-None-Match` or `If-Modified-Since` says."
        ),
    },
    refuses={
        HTTPStatus.NOT_FOUND: [Reason.NOT_FOUND],
        HTTPStatus.PRECONDITION_FAILED: [Reason.PRECONDITION_FAILED],
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: [Reason.RANGE_NOT_SATISFIABLE],
        HTTPStatus.SERVICE_UNAVAILABLE: [Reason.FILES_UNAVAILABLE],
    },
    tags=[EXAMPLES],
)
async def file(request: Request[Any, Any, Any], files: NamedDependency[ServedFolder]) -> ASGIApp:
    names = names_in(_below_the_route(request.scope))
    if names is None:
        raise NotFoundException
    asked = {name: ", ".join(request.headers.getall(name)) for name in request.headers}
    return partial(answer_with_file, files, names, asked)


def _below_the_route(scope: Mapping[str, Any]) -> bytes:
    """Give what follows the route in the path as it was sent; nothing where it was disguised."""
    start = scope["path_template"].partition("{")[0].encode()
    path: bytes = scope.get("raw_path") or b""  # ASGI lets it be left out
    return path.removeprefix(start) if path.startswith(start) else b""
