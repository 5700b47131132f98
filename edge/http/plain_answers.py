"""Answers that are given without the framework: what the outermost layer says itself."""

from typing import Any, Final

import msgspec

from edge.http.problems import MEDIA_TYPE, problem
from edge.reasons import Reason

Fields = list[tuple[bytes, bytes]]

_OF_A_PROBLEM: Final = [
    (b"content-type", MEDIA_TYPE.encode("ascii")),
    (b"cache-control", b"no-store"),
]


class PlainAnswer(msgspec.Struct, frozen=True):
    """A status, the fields beside `Content-Length`, and the body."""

    status: int
    fields: Fields
    body: bytes = b""


def problem_answer(
    reason: Reason,
    status: int,
    *,
    request_id: str,
    policy: str = "",
    retry_after_s: int | None = None,
) -> PlainAnswer:
    """Give the answer that is a problem document; `policy` is the rate policy that refused."""
    document = problem(
        reason, status, request_id=request_id, policy=policy, retry_after_s=retry_after_s
    )
    wait = [] if retry_after_s is None else [(b"retry-after", b"%d" % retry_after_s)]
    return PlainAnswer(status, [*_OF_A_PROBLEM, *wait], msgspec.json.encode(document))


async def send_answer(send: Any, answer: PlainAnswer) -> None:  # noqa: ANN401  # Litestar's types of messages are closed
    """Send an answer by the `send` of a request."""
    length = [] if answer.status == 204 else [(b"content-length", b"%d" % len(answer.body))]  # noqa: PLR2004
    fields = [*answer.fields, *length]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
