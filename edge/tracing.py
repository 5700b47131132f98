"""Traces as the settings describe them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar.types import ASGIApp

from edge.composition import VERSION
from edge.http.tracing import Tracing
from edge.settings import Settings


@asynccontextmanager
async def traced(app: ASGIApp, settings: Settings) -> AsyncIterator[ASGIApp]:
    """Make spans of what goes through an app, if they are wanted."""
    traces = settings.traces
    if not traces.endpoint:
        yield app
        return
    from edge.telemetry.otel import OtelSpans  # noqa: PLC0415  # an extra, for those who use it

    spans = OtelSpans(traces.endpoint, traces.ratio, service=settings.service_name, version=VERSION)
    try:
        yield Tracing(app, spans)
    finally:
        await asyncio.to_thread(spans.close)
