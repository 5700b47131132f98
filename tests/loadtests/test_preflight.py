"""A look before the run: what stands in the way is said in the words of the settings."""

import pytest

from loadtests.plain_http import Reply
from loadtests.preflight import _disbelieved, _refused


def reply(status: int = 200, remaining: int | None = 1199, code: str = "") -> Reply:
    fields = {} if remaining is None else {"ratelimit": f'"address";r={remaining};t=66'}
    return Reply(status, {"code": code} if code else {}, fields)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (reply(), ""),
        (reply(401, code="issuer_unknown"), "401 issuer_unknown"),
        (reply(404), "EDGE_EXAMPLE_ROUTES"),
        (reply(503, code="issuer_unavailable"), "503 issuer_unavailable"),
        (reply(502), "does not reach one (502)"),
    ],
)
def test_tokens_that_are_refused_are_no_result(first: Reply, said: str) -> None:
    """Nor are routes that are not there."""
    problems = list(_refused(first))
    assert len(problems) == bool(said)
    assert all(said in problem for problem in problems)


@pytest.mark.parametrize(
    ("remaining", "is_believed"),
    [
        ((1199, 1199, 1199), True),
        ((1199, 1198, 1197), False),
        ((1199, 1150, 1199), True),  # somebody used the second address before
        ((1199, 1198, None), True),
        ((None, None, None), True),
    ],
)
def test_addresses_that_are_not_believed_are_noticed(
    remaining: tuple[int | None, ...], *, is_believed: bool
) -> None:
    """Three addresses are charged apart; where one window is charged thrice, the peer counted."""
    problems = list(_disbelieved([reply(remaining=one) for one in remaining]))
    assert (not problems) is is_believed
