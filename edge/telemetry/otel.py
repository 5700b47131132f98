"""Spans by OpenTelemetry, sent by OTLP over HTTP from a thread of its own."""

from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

# A collector that is away must not keep a worker from ending in time.
_SEND_TIMEOUT_S: Final = 5.0
_SERVER_ERROR: Final = 500
# HTTP semantic conventions: others are the client's invention, and name nothing.
_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)

_context: Final = TraceContextTextMapPropagator()


class OtelSpan:
    """The span of one request."""

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method

    @property
    def traceparent(self) -> bytes:
        context = self._span.get_span_context()
        trace, span = format_trace_id(context.trace_id), format_span_id(context.span_id)
        return f"00-{trace}-{span}-{context.trace_flags:02x}".encode("ascii")

    def end(self, route: str, status: int) -> None:
        if route:
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attribute("http.route", route)
        if status:
            self._span.set_attribute("http.response.status_code", status)
        if not status or status >= _SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class OtelSpans:
    """Makes spans; `ratio` of those that are part of no trace yet are sent to `endpoint`."""

    def __init__(self, endpoint: str, ratio: float, *, service: str, version: str) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=Resource.create({"service.name": service, "service.version": version}),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_TIMEOUT_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("edge", version)

    def begin(self, method: str, parent: str | None) -> OtelSpan:
        known = method if method in _METHODS else "_OTHER"
        span = self._tracer.start_span(
            known if known == method else "HTTP",
            _context.extract({"traceparent": parent}) if parent else None,
            SpanKind.SERVER,
            {"http.request.method": known},
        )
        return OtelSpan(span, known if known == method else "HTTP")

    def close(self) -> None:
        """Send what is left; takes some seconds where nobody takes it."""
        self._provider.shutdown()
