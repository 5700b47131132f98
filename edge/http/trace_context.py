"""The trace that a request is part of, as `traceparent` says it (W3C Trace Context). Pure."""

import re
from typing import Final

TRACEPARENT: Final = b"traceparent"

# Section 3.2: version, trace, span, flags. Later versions may have more behind it.
_FORM: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_OUR_VERSION: Final = b"00"
_NO_VERSION: Final = b"ff"
# What somebody further on has to read; of version 00 it has 55 bytes.
_LONGEST: Final = 128


def trace_id_of(value: bytes) -> str | None:
    """Give the id of the trace, 32 hexadecimal digits; None where the field is not valid."""
    match = _FORM.fullmatch(value) if len(value) <= _LONGEST else None
    if match is None:
        return None
    version, trace, span, more = match.groups()
    is_known = version != _NO_VERSION and (version != _OUR_VERSION or more is None)
    is_named = trace.strip(b"0") and span.strip(b"0")
    return trace.decode("ascii") if is_known and is_named else None
