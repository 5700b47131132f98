"""What tests need beside Python: one place says that it is missing, so that CI can insist on it."""

import os
from typing import Final, NoReturn

import pytest

# `all`, or the names of what must be there, separated by commas.
REQUIRE_VARIABLE: Final = "EDGE_TEST_REQUIRE"
_REQUIRED: Final = {name.strip() for name in os.environ.get(REQUIRE_VARIABLE, "").split(",")}


def missing(what: str, install: str) -> NoReturn:
    """Skip the test for lack of `what`, or fail it where the environment insists on it."""
    reason = f"needs {what}; to get it: {install}"
    if {"all", what} & _REQUIRED:
        pytest.fail(f"{reason} ({REQUIRE_VARIABLE} insists)", pytrace=False)
    pytest.skip(reason)
