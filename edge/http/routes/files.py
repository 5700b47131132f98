"""The files of a folder, for everybody: an example, where a folder is configured."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

from litestar import HttpMethod, Request, route
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter
from litestar.types import ASGIApp

from edge.http.enforcement import PUBLIC
from edge.http.files.answer import answer_with_file
from edge.http.files.folder import ServedFolder
from edge.http.files.names import names_in
from edge.http.tags import EXAMPLES
from edge.reasons import Reason

# What can be read in one way only, and begins with no dot.
_NAME: Final = r"^[^./\\%\x00-\x1f\x7f\ufffd][^/\\%\x00-\x1f\x7f\ufffd]*$"
FilePath = Annotated[
    Path,
    PathParameter(
        description="The name of the file, after folders with a slash after each.",
        schema_extra={"format": None, "pattern": _NAME},
        examples=[Example(value="a.txt")],
    ),
]


def _file(description: str) -> ResponseSpec:
    return ResponseSpec(bytes, generate_examples=False, description=description, media_type="*/*")


@route(
    "/files/{path:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=dict(PUBLIC),
    tags=[EXAMPLES],
    summary="A file of the served folder",
    description=(
        "Conditions (`If-None-Match`, `If-Modified-Since`, `If-Match`, `If-Unmodified-Since`) and "
        "one `Range`, with `If-Range`, are taken as in RFC 9110."
    ),
    responses={
        HTTPStatus.OK: _file("The file."),
        HTTPStatus.PARTIAL_CONTENT: _file(
            "The part that `Range` asks for; `Content-Range` says which."
        ),
        HTTPStatus.NOT_MODIFIED: ResponseSpec(
            None, description="It is what `If-None-Match` or `If-Modified-Since` says."
        ),
    },
    refuses={
        404: [Reason.NOT_FOUND],
        412: [Reason.PRECONDITION_FAILED],
        416: [Reason.RANGE_NOT_SATISFIABLE],
        503: [Reason.FILES_UNAVAILABLE],
    },
)
async def file(
    request: Request[Any, Any, Any],
    path: FilePath,  # noqa: ARG001  # described by it, and read as it was sent
    files: NamedDependency[ServedFolder],
) -> ASGIApp:
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
