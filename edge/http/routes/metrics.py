"""Metrics, for administrators and what scrapes in their name."""

from litestar import Response, get
from litestar.di import NamedDependency

from edge.http.enforcement import accepts
from edge.http.guards import requires_role
from edge.http.tags import OPERATION
from edge.telemetry.exposition import MEDIA_TYPE
from edge.telemetry.metrics import Metrics


@get(
    "/metrics",
    opt=accepts("bearer", "basic"),
    guards=[requires_role("admin")],
    media_type=MEDIA_TYPE,
    tags=[OPERATION],
    summary="Metrics of this server",
    description="In the text format of Prometheus.",
    sync_to_thread=False,
)
def metrics(metrics: NamedDependency[Metrics]) -> Response[str]:
    return Response(metrics.render(), headers={"Cache-Control": "no-store"})
