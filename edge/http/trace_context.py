"""The trace that a request is part of, as `traceparent` says it (W3C Trace Context). Pure."""

import re
from typing import Final

TRACEPARENT: Final = b"traceparent"
# In the scope of a request: the same, of the span that we made for it.
SPAN_KEY: Final = "edge_traceparent"

# Section 3.2: version, trace, span, flags. Later versions may have more behind it.
_FORM: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_OUR_VERSION: Final = b"00"
_NO_VERSION: Final = b"ff"
# What somebody further on has to read; of version 00 it has 55 bytes.
_LONGEST: Final = 128


def read_traceparent(value: bytes) -> str | None:
    """Give the field as text; None where it is not valid, which is as if it were not there."""
    match = _FORM.fullmatch(value) if len(value) <= _LONGEST else None
    if match is None:
        return None
    version, trace, span, more = match.groups()
    is_known = version != _NO_VERSION and (version != _OUR_VERSION or more is None)
    is_named = trace.strip(b"0") and span.strip(b"0")
    return value.decode("latin-1") if is_known and is_named else None


def trace_id_of(traceparent: str) -> str:
    """Give the id of the trace that a valid field names, 32 hexadecimal digits."""
    return traceparent[3:35]
