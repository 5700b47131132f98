"""`traceparent`, as W3C Trace Context has it."""

import pytest

from edge.http.trace_context import read_traceparent, trace_id_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", True),
        (f"cc-{TRACE}-{SPAN}-01", True),  # a version to come
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
        (f"cc-{TRACE}-{SPAN}-01.what-the-future-will-not-be-like", False),
        (f"00-{TRACE}-{SPAN}-01-more", False),
        (f"00-{TRACE}-{SPAN}-01-", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}", False),
        (f"00-{TRACE}-{SPAN}-01\n", False),
        (f" 00-{TRACE}-{SPAN}-01", False),
        (f"00-{TRACE[:-1]}-{SPAN}-01", False),
        (f"cc-{TRACE}-{SPAN}-01-{'x' * 100}", False),
        ("", False),
        ("\xff", False),
    ],
)
def test_only_what_is_valid_names_a_trace(
    value: str,
    is_valid: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Anything else is as if there were no trace (section 4.3)."""
    read = read_traceparent(value.encode("latin-1"))
    assert read == (value if is_valid else None)
    assert read is None or trace_id_of(read) == TRACE
