"""The `Authorization` field, taken apart."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.access.credentials import BasicCredentials, BearerToken, parse_authorization
from edge.access.decision import Malformed
from edge.reasons import Reason
from tests.support.secrets import remember

MALFORMED = Malformed(Reason.AUTHORIZATION_MALFORMED)
UNSUPPORTED = Malformed(Reason.SCHEME_UNSUPPORTED)
REPEATED = Malformed(Reason.AUTHORIZATION_REPEATED)

PASSWORD = "an open sesame, made up"
TOKEN = "made-up.access.token"
remember(PASSWORD, TOKEN)


def basic(text: str | bytes, scheme: str = "Basic ") -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return scheme.encode() + base64.b64encode(raw)


@pytest.mark.parametrize(
    ("values", "parsed"),
    [
        pytest.param([], None, id="no field"),
        # Scheme and spaces.
        pytest.param([b"Bearer abc"], BearerToken(b"abc"), id="bearer"),
        pytest.param([b"bearer abc"], BearerToken(b"abc"), id="lower case"),
        pytest.param([b"BEARER abc"], BearerToken(b"abc"), id="upper case"),
        pytest.param([b"bEaReR abc"], BearerToken(b"abc"), id="mixed case"),
        pytest.param([b"Bearer   abc"], BearerToken(b"abc"), id="several spaces"),
        pytest.param([b"  Bearer abc \t"], BearerToken(b"abc"), id="outer space"),
        pytest.param([b"Bearer\tabc"], MALFORMED, id="a tab between"),
        pytest.param([b"Bearer \tabc"], MALFORMED, id="a space and a tab between"),
        pytest.param([b"Bearer abc def"], MALFORMED, id="two tokens"),
        pytest.param([b"Bearer abc, Bearer def"], MALFORMED, id="a list"),
        pytest.param([b"Bearer abc\r\nX: y"], MALFORMED, id="line break"),
        pytest.param([b"Bearer abc\n"], MALFORMED, id="line break at the end"),
        pytest.param([b"\x0bBearer abc"], MALFORMED, id="vertical tab before"),
        pytest.param([b"Bearer"], MALFORMED, id="bare bearer"),
        pytest.param([b"Bearer "], MALFORMED, id="bare bearer and a space"),
        pytest.param([b"Basic"], MALFORMED, id="bare basic"),
        pytest.param([b""], MALFORMED, id="empty"),
        pytest.param([b"   "], MALFORMED, id="only space"),
        pytest.param([b"Bea(rer abc"], MALFORMED, id="scheme with a delimiter"),
        pytest.param([b"B\xe9arer abc"], MALFORMED, id="scheme outside ASCII"),
        pytest.param([b": abc"], MALFORMED, id="no scheme"),
        pytest.param([b"Bearer abc", b"Bearer abc"], REPEATED, id="twice the same"),
        pytest.param([b"Bearer abc", basic("a:b")], REPEATED, id="two schemes"),
        pytest.param([b"", b""], REPEATED, id="twice nothing"),
        # token68
        pytest.param([b"Bearer aZ0-._~+/=="], BearerToken(b"aZ0-._~+/=="), id="all of token68"),
        pytest.param([b"Bearer ab=cd"], MALFORMED, id="= inside"),
        pytest.param([b"Bearer ="], MALFORMED, id="only ="),
        pytest.param([b'Bearer "abc"'], MALFORMED, id="quoted"),
        pytest.param([b"Bearer token=abc"], MALFORMED, id="a parameter"),
        pytest.param([b"Bearer ab:c"], MALFORMED, id="colon"),
        pytest.param([b"Bearer ab\xe9"], MALFORMED, id="latin-1"),
        pytest.param([b"Bearer ab\xc3\xa9"], MALFORMED, id="UTF-8"),
        pytest.param([b"Bearer ab\x00"], MALFORMED, id="NUL"),
        # Other schemes.
        pytest.param([b"Digest username=x, realm=y"], UNSUPPORTED, id="digest"),
        pytest.param([b"Negotiate YII="], UNSUPPORTED, id="negotiate"),
        pytest.param([b"DPoP abc"], UNSUPPORTED, id="dpop"),
        pytest.param([b"Bearerabc"], UNSUPPORTED, id="a longer scheme"),
        pytest.param([b"xyz abc"], UNSUPPORTED, id="unknown"),
        pytest.param([b"eyJhbGciOi.e30.x"], UNSUPPORTED, id="a token without a scheme"),
        # Basic.
        pytest.param([basic("alice:pw")], BasicCredentials("alice", "pw"), id="basic"),
        pytest.param([basic("alice:pw", "bAsIc  ")], BasicCredentials("alice", "pw"), id="bAsIc"),
        pytest.param([basic("alice:")], BasicCredentials("alice", ""), id="empty password"),
        pytest.param([basic(":pw")], BasicCredentials("", "pw"), id="empty name"),
        pytest.param([basic(":")], BasicCredentials("", ""), id="both empty"),
        pytest.param([basic("a:b:c:")], BasicCredentials("a", "b:c:"), id="first colon splits"),
        pytest.param(
            [basic("\u00e9lise:p\u00e4ss \u20ac \U0001f511")],
            BasicCredentials("\u00e9lise", "p\u00e4ss \u20ac \U0001f511"),
            id="UTF-8 in it",
        ),
        pytest.param([basic("a b: c ")], BasicCredentials("a b", " c "), id="spaces are kept"),
        pytest.param([basic("a%3Ab:c+d")], BasicCredentials("a%3Ab", "c+d"), id="not form-encoded"),
        pytest.param([basic("alice")], MALFORMED, id="no colon"),
        pytest.param([basic("\u00e9lise:pw".encode("latin-1"))], MALFORMED, id="latin-1 in it"),
        pytest.param([basic(b"a:\xed\xa0\x80")], MALFORMED, id="surrogate in it"),
        pytest.param([basic(b"a:\xc0\xaf")], MALFORMED, id="overlong UTF-8 in it"),
        pytest.param([basic("a:b\0c")], MALFORMED, id="NUL in it"),
        pytest.param([basic("a\nb:c")], MALFORMED, id="line feed in it"),
        pytest.param([basic("a:b\r")], MALFORMED, id="carriage return in it"),
        pytest.param([basic("a:b\tc")], MALFORMED, id="tab in it"),
        pytest.param([basic("a:b\x1fc")], MALFORMED, id="last control in it"),
        pytest.param([basic("a:b\x7f")], MALFORMED, id="DEL in it"),
        pytest.param([b"Basic !!!"], MALFORMED, id="not base64"),
        pytest.param([b"Basic YT=pi"], MALFORMED, id="padding inside"),
        pytest.param([b"Basic YTpiYg"], MALFORMED, id="padding lacks"),
        pytest.param([b"Basic YTpiY"], MALFORMED, id="one character too many"),
        pytest.param([b"Basic YTp_"], MALFORMED, id="base64url"),
        pytest.param([b"Basic YT-i"], MALFORMED, id="base64url minus"),
        pytest.param([b"Basic YTpi YTpi"], MALFORMED, id="space in base64"),
        pytest.param([b"Basic alice:pw"], MALFORMED, id="not encoded at all"),
    ],
)
def test_the_authorization_field_is_read_to_the_letter(
    values: list[bytes], parsed: BearerToken | BasicCredentials | Malformed | None
) -> None:
    """RFC 9110 section 11.4, RFC 6750 and RFC 7617, one row a rule."""
    assert parse_authorization(values) == parsed


@given(st.lists(st.binary(max_size=200), max_size=3))
def test_no_bytes_make_it_fail(values: list[bytes]) -> None:
    """Whatever comes in, what comes out is credentials, a refusal, or nothing."""
    parsed = parse_authorization(values)
    assert (parsed is None) == (not values)


@given(
    st.sampled_from([b"Basic", b"basic", b"Bearer", b"BEARER"]),
    st.integers(1, 4),
    st.binary(max_size=200),
)
def test_no_credentials_of_a_known_scheme_make_it_fail(
    scheme: bytes, spaces: int, rest: bytes
) -> None:
    """Behind a scheme that is spoken here, every tail is credentials or malformed."""
    for tail in (rest, base64.b64encode(rest)):
        parsed = parse_authorization([scheme + b" " * spaces + tail])
        assert isinstance(parsed, BearerToken | BasicCredentials) or parsed == MALFORMED


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=":")),
    st.text(st.characters(exclude_categories=["Cc", "Cs"])),
)
def test_basic_credentials_arrive_as_they_were_sent(username: str, password: str) -> None:
    """Every name without a colon and every password without controls is read back unchanged."""
    parsed = parse_authorization([basic(f"{username}:{password}")])
    assert parsed == BasicCredentials(username, password)


def test_credentials_do_not_show_themselves() -> None:
    """The representation of credentials has no part of them, in a list or a format either."""
    for credentials in (BearerToken(TOKEN.encode()), BasicCredentials("alice", PASSWORD)):
        for shown in (repr(credentials), str(credentials), f"{[credentials]}"):
            assert TOKEN not in shown
            assert PASSWORD not in shown
            assert "alice" not in shown
