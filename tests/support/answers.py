"""The answers that a run has seen; a test at its end looks whether they are described."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import msgspec

_PARAMETER: Final = re.compile(r"\\{\w+\\}")

_seen: Final[set["Answer"]] = set()


class Answer(msgspec.Struct, frozen=True, order=True):
    """An answer; `code` is that of a problem document or of an error of OAuth, or empty."""

    method: str
    path: str
    status: str
    code: str


def note(response: httpx.Response) -> None:
    """Note an answer whose body has been read."""
    is_json = response.headers.get("content-type", "").split(";")[0].endswith("json")
    body = response.json() if is_json and response.content and response.is_error else {}
    request = response.request
    _seen.add(
        Answer(
            request.method.lower(),
            request.url.path,
            str(response.status_code),
            str(body.get("code") or body.get("error") or ""),
        )
    )


def seen() -> frozenset[Answer]:
    return frozenset(_seen)


def undescribed(document: Mapping[str, Any], answers: frozenset[Answer]) -> Iterator[Answer]:
    """Give the answers of routes in an OpenAPI document that it does not have there.

    A 404 at a path without parameters is of an Edge whose settings left that route out.
    """
    paths = document["paths"]
    for answer in sorted(answers):
        operation = _operation(paths, answer)
        is_left_out = answer.status == "404" and answer.path in paths
        if operation is not None and not is_left_out and not _has(operation["responses"], answer):
            yield answer


def _operation(paths: Mapping[str, Any], answer: Answer) -> Mapping[str, Any] | None:
    found = [
        item[answer.method]
        for path, item in paths.items()
        if answer.method in item and _pattern(path).fullmatch(answer.path)
    ]
    exact: Mapping[str, Any] | None = paths.get(answer.path, {}).get(answer.method)
    return exact or next(iter(found), None)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("[^/]+", re.escape(path)))


def _has(responses: Mapping[str, Any], answer: Answer) -> bool:
    content = responses.get(answer.status, {}).get("content", {})
    codes = {code for one in content.values() for code in one.get("examples", ())}
    return answer.status in responses and (not answer.code or answer.code in codes)
