"""The claims of an access token, against the policy and the clock."""

from math import inf

import msgspec
import pytest

from edge.reasons import Reason
from edge.tokens.claims import AccessClaims, ClaimsPolicy
from edge.tokens.own_tokens import OwnTokens
from tests.support.fakes import NOW_S, make_claims

POLICY = ClaimsPolicy(issuer="https://edge.test", audiences=frozenset({"edge"}), leeway_s=5)
STRICT = ClaimsPolicy(issuer="https://edge.test", audiences=frozenset({"edge"}), leeway_s=0)

# Issued at NOW_S, expires at NOW_S + 900.
EXP = NOW_S + 900


@pytest.mark.parametrize(
    ("policy", "now_s", "nbf", "reason"),
    [
        (POLICY, NOW_S, 0, None),
        (POLICY, NOW_S + 450.5, 0, None),
        # The end.
        (STRICT, EXP - 0.001, 0, None),
        (STRICT, EXP, 0, Reason.TOKEN_EXPIRED),
        (POLICY, EXP, 0, None),
        (POLICY, EXP + 4.999, 0, None),
        (POLICY, EXP + 5, 0, Reason.TOKEN_EXPIRED),
        (POLICY, EXP + 5.001, 0, Reason.TOKEN_EXPIRED),
        (POLICY, EXP + 10**9, 0, Reason.TOKEN_EXPIRED),
        # The beginning, by `iat`.
        (STRICT, NOW_S, 0, None),
        (STRICT, NOW_S - 0.001, 0, Reason.TOKEN_NOT_YET_VALID),
        (POLICY, NOW_S - 5, 0, None),
        (POLICY, NOW_S - 5.001, 0, Reason.TOKEN_NOT_YET_VALID),
        (POLICY, 0, 0, Reason.TOKEN_NOT_YET_VALID),
        # The beginning, by `nbf`, whichever is later.
        (POLICY, NOW_S, NOW_S - 100, None),
        (POLICY, NOW_S - 5.001, NOW_S - 100, Reason.TOKEN_NOT_YET_VALID),
        (POLICY, NOW_S, NOW_S + 5, None),
        (POLICY, NOW_S, NOW_S + 6, Reason.TOKEN_NOT_YET_VALID),
        (POLICY, NOW_S + 95, NOW_S + 100, None),
        (POLICY, NOW_S + 94.999, NOW_S + 100, Reason.TOKEN_NOT_YET_VALID),
        (POLICY, NOW_S + 100, EXP + 100, Reason.TOKEN_NOT_YET_VALID),
        (POLICY, EXP + 100, EXP + 100, Reason.TOKEN_EXPIRED),
    ],
)
def test_a_token_holds_from_its_beginning_to_its_end(
    policy: ClaimsPolicy, now_s: float, nbf: int, reason: Reason | None
) -> None:
    """Both ends are forgiving by exactly the leeway, and the end itself is outside."""
    assert policy.check(make_claims(nbf=nbf), now_s) is reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"aud": ("edge",)}, None),
        ({"aud": ("other", "edge")}, None),
        ({"aud": "other"}, Reason.AUDIENCE_MISMATCH),
        ({"aud": ("other", "edge2")}, Reason.AUDIENCE_MISMATCH),
        ({"aud": ()}, Reason.AUDIENCE_MISMATCH),
        ({"aud": ""}, Reason.AUDIENCE_MISMATCH),
        ({"aud": "edge "}, Reason.AUDIENCE_MISMATCH),
        ({"aud": "Edge"}, Reason.AUDIENCE_MISMATCH),
        ({"aud": "the edge of it"}, Reason.AUDIENCE_MISMATCH),
        ({"aud": "edg"}, Reason.AUDIENCE_MISMATCH),
        ({"aud": "x", "exp": 0}, Reason.AUDIENCE_MISMATCH),
    ],
)
def test_audiences_match_exactly(fields: dict[str, object], reason: Reason | None) -> None:
    """We are among the audiences; the dates are looked at later."""
    assert OwnTokens(POLICY).check(make_claims(**fields), NOW_S) is reason


_COMPLETE = msgspec.to_builtins(make_claims())


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "epoch"])
def test_every_claim_of_ours_is_required(claim: str) -> None:
    """Without one of the claims of RFC 9068 or `epoch` there is no access token."""
    incomplete = {name: value for name, value in _COMPLETE.items() if name != claim}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(incomplete), type=AccessClaims)


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"true",
        b"null",
        b'"1800000000"',
        b"1800000000.5",
        b"-1",
        b"253402300800",
        b"1e18",
        b"9" * 400,
        b"[]",
        b"{}",
    ],
)
def test_dates_are_whole_numbers_that_fit_a_calendar(claim: str, value: bytes) -> None:
    """No NaN, infinity, boolean, text, fraction, or year beyond 9999 is a date."""
    rest = msgspec.json.encode({k: v for k, v in _COMPLETE.items() if k != claim})
    document = rest[:-1] + b',"' + claim.encode() + b'":' + value + b"}"
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(document, type=AccessClaims)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", ""),
        ("sub", "x" * 256),
        ("sub", 7),
        ("jti", ""),
        ("sid", ""),
        ("client_id", ""),
        ("epoch", -1),
        ("epoch", True),
        ("epoch", "1"),
        ("aud", 7),
        ("aud", [7]),
        ("aud", None),
        ("iss", None),
        ("roles", "admin"),
        ("roles", [1]),
        ("scope", ["profile"]),
    ],
)
def test_claims_have_their_types_and_bounds(claim: str, value: object) -> None:
    """A claim of another type or size makes the token malformed."""
    document = msgspec.json.encode({**_COMPLETE, claim: value})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(document, type=AccessClaims)


def test_unknown_claims_are_ignored() -> None:
    """A claim nobody here knows does no harm (RFC 7519 section 4)."""
    document = msgspec.json.encode({**_COMPLETE, "email": "x@example.com", "exp2": [1]})
    assert msgspec.json.decode(document, type=AccessClaims) == make_claims()


@pytest.mark.parametrize(
    ("scope", "scopes"), [("", set()), ("a", {"a"}), ("a b a", {"a", "b"}), (" a  b ", {"a", "b"})]
)
def test_scopes_are_the_words_of_the_scope_claim(scope: str, scopes: set[str]) -> None:
    """The claim is taken apart at spaces."""
    assert OwnTokens(POLICY).accept(make_claims(scope=scope), b"", inf).scopes == scopes
