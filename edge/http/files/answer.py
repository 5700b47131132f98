"""Answering a request with a file: opening it, deciding on it, sending it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from typing import Any, Final

from litestar.exceptions import HTTPException, NotFoundException
from litestar.types import Receive

from edge.http.files.conditions import Selection, Version, select, version_of
from edge.http.files.folder import OpenFile, ServedFolder
from edge.http.files.media import content_fields

# What a request holds in memory at a time.
CHUNK_BYTES: Final = 256 * 1024
# As nginx's send_timeout. It is for one chunk, which makes 4 kB a second the slowest line.
STALL_TIMEOUT_S: Final = 60.0

Send = Any  # Litestar's message types are closed, a bare dict does not fit


async def answer_with_file(
    folder: ServedFolder,
    names: Sequence[str],
    asked: Mapping[str, str],
    scope: Mapping[str, Any],
    receive: Receive,
    send: Send,
) -> None:
    """Answer a GET or HEAD with the file of these names, or a part of it; `asked` as in `select`.

    Raises:
        HTTPException: there is no such file, or not as the request wants it.
        UnavailableError: it cannot be opened now.
    """
    file = await folder.open(names)
    if file is None:
        raise NotFoundException
    with closing(file):
        version = version_of(file.size, file.mtime_ns, file.opened_s)
        selection = select(scope["method"], asked, file.size, version)
        fields = fields_of(selection, names[-1], file.size, version)
        if selection.status >= HTTPStatus.BAD_REQUEST:
            raise HTTPException(status_code=selection.status, headers=fields)
        headers = [(name.encode(), value.encode("ascii")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": selection.status, "headers": headers})
        part = range(0) if scope["method"] == "HEAD" else selection.part
        await send_part(file, part, receive, send)


def fields_of(selection: Selection, name: str, size: int, version: Version) -> dict[str, str]:
    """Give the fields of the answer. Pure."""
    part = selection.part
    validators = {
        "etag": version.etag,
        "last-modified": version.last_modified,
        "cache-control": "no-cache",  # to be kept, and asked about each time: 304 costs little
    }
    content = {
        **content_fields(name),
        **validators,
        "content-length": str(len(part)),
        "accept-ranges": "bytes",
    }
    match selection.status:
        case HTTPStatus.PRECONDITION_FAILED:
            return {}
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return {"content-range": f"bytes */{size}"}
        case HTTPStatus.NOT_MODIFIED:
            return validators
        case HTTPStatus.PARTIAL_CONTENT:
            return {**content, "content-range": f"bytes {part.start}-{part.stop - 1}/{size}"}
        case _:
            return content


async def send_part(
    file: OpenFile,
    part: range,
    receive: Receive,
    send: Send,
    *,
    stall_timeout_s: float = STALL_TIMEOUT_S,
) -> None:
    """Send these bytes of a file as the body of an answer that has started.

    Exactly as many are sent as were promised, or the answer is left without an end: when the client
    left, or took nothing for too long. Servers cut the connection then.

    Raises:
        EOFError: the file became shorter. The connection is cut then too.
    """
    leaving = asyncio.create_task(_client_left(receive))
    try:
        while part and not leaving.done():  # what is sent to nobody vanishes without a word
            chunk = await file.read(part.start, min(len(part), CHUNK_BYTES))
            if not chunk:
                message = "the file became shorter while it was sent"
                raise EOFError(message)
            part = part[len(chunk) :]
            async with asyncio.timeout(stall_timeout_s):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError:
        return
    finally:
        leaving.cancel()
    if not part:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
