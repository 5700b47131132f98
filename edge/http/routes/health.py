"""For load balancers and supervisors."""

from http import HTTPStatus

import msgspec
from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency

from edge.http.enforcement import PUBLIC
from edge.http.rate_limits import UNLIMITED
from edge.telemetry.health import Health

_METHODS = [HttpMethod.GET, HttpMethod.HEAD]
_OPEN = {**PUBLIC, **UNLIMITED}
_NO_STORE = {"Cache-Control": "no-store"}


@route("/livez", http_method=_METHODS, opt=dict(_OPEN), summary="Is the process alive")
async def live() -> Response[dict[str, str]]:
    return Response({"status": "alive"}, headers=_NO_STORE)


@route("/readyz", http_method=_METHODS, opt=dict(_OPEN), summary="May requests be sent here")
async def ready(health: NamedDependency[Health]) -> Response[dict[str, object]]:
    readiness = await health.readiness()
    status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(msgspec.to_builtins(readiness), status_code=status, headers=_NO_STORE)
