"""For load balancers and supervisors."""

from http import HTTPStatus
from typing import Literal

import msgspec
from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec

from edge.http.enforcement import PUBLIC
from edge.http.rate_limits import UNLIMITED
from edge.http.tags import OPERATION
from edge.telemetry.health import Health, Readiness

_METHODS = [HttpMethod.GET, HttpMethod.HEAD]
_OPEN = {**PUBLIC, **UNLIMITED}
_NO_STORE = {"Cache-Control": "no-store"}


class Alive(msgspec.Struct, frozen=True):
    """The answer of a process that answers."""

    status: Literal["alive"] = "alive"


@route(
    "/livez",
    http_method=_METHODS,
    opt=dict(_OPEN),
    tags=[OPERATION],
    summary="Is the process alive",
)
async def live() -> Response[Alive]:
    return Response(Alive(), headers=_NO_STORE)


@route(
    "/readyz",
    http_method=_METHODS,
    opt=dict(_OPEN),
    tags=[OPERATION],
    summary="May requests be sent here",
    responses={
        HTTPStatus.SERVICE_UNAVAILABLE: ResponseSpec(
            Readiness, generate_examples=False, description="Not now: it is starting or stopping."
        )
    },
)
async def ready(health: NamedDependency[Health]) -> Response[Readiness]:
    readiness = await health.readiness()
    status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(readiness, status_code=status, headers=_NO_STORE)
