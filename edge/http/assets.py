"""What is the same for everybody: made once, kept in memory, sent again only when it changed."""

from hashlib import sha256
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response

from edge.http.validators import matches


class Asset(msgspec.Struct, frozen=True):
    """A body with its type and its entity tag."""

    body: bytes
    media_type: str
    etag: str


def make_asset(body: bytes, media_type: str) -> Asset:
    return Asset(body, media_type, f'"{sha256(body).hexdigest()[:32]}"')


def send_asset(request: Request[Any, Any, Any], asset: Asset) -> Response[bytes]:
    """Answer with it, or with 304 where the client has it. It may be kept, but is asked about."""
    headers = {"Cache-Control": "no-cache", "ETag": asset.etag}
    if matches(request.headers.getall("if-none-match", []), asset.etag):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
