"""The form of the token endpoint, and the words of its errors."""

import re
from typing import get_args
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.oauth import LONGEST, OAuthError, OAuthErrorCode, parse_form, refusal_of
from edge.reasons import Reason

NO_FORM = OAuthError("invalid_request", "The body is not a form")
NO_UTF_8 = OAuthError("invalid_request", "The body is not a form in UTF-8")


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"", {}),
        (b"grant_type=password", {"grant_type": "password"}),
        (
            b"grant_type=password&username=alice&password=x",
            {"grant_type": "password", "username": "alice", "password": "x"},
        ),
        # Encoding.
        (b"password=a+b", {"password": "a b"}),
        (b"password=a%2Bb", {"password": "a+b"}),
        (b"password=a%20b", {"password": "a b"}),
        (b"password=a%26b%3Dc", {"password": "a&b=c"}),
        (b"password=a=b=c", {"password": "a=b=c"}),
        (b"password=%C3%A9%E2%82%AC%F0%9F%94%91", {"password": "\u00e9\u20ac\U0001f511"}),
        (b"password=%c3%A9", {"password": "\u00e9"}),
        (b"password=%00", {"password": "\0"}),
        (b"pass%77ord=x", {"password": "x"}),
        (b"password=a;b", {"password": "a;b"}),
        (b"password=%25zz", {"password": "%zz"}),
        # Empty is absent (RFC 6749 section 3.2).
        (b"scope=", {}),
        (b"scope", {}),
        (b"scope=&grant_type=password", {"grant_type": "password"}),
        (b"&&grant_type=password&", {"grant_type": "password"}),
        (b"=x", {"": "x"}),
        # Unknown ones are ignored, repeated or not.
        (b"nonce=1&nonce=2&grant_type=password", {"nonce": "2", "grant_type": "password"}),
        (b"Grant_Type=a&grant_type=b", {"Grant_Type": "a", "grant_type": "b"}),
        # What nobody defined is as long as it likes.
        (b"nonce=" + b"x" * 20_000, {"nonce": "x" * 20_000}),
    ],
)
def test_a_form_is_read(body: bytes, form: dict[str, str]) -> None:
    """Names and values are decoded once; what is empty counts as not sent."""
    assert parse_form(body) == form


@pytest.mark.parametrize(
    "name",
    [
        "grant_type",
        "username",
        "password",
        "refresh_token",
        "scope",
        "client_id",
        "client_secret",
        "code",
        "redirect_uri",
        "code_verifier",
        "assertion",
        "client_assertion",
        "client_assertion_type",
    ],
)
def test_a_repeated_parameter_is_refused(name: str) -> None:
    """Every parameter that is defined for the endpoint may be sent once, whatever its values."""
    error = OAuthError("invalid_request", f"The parameter {name} is repeated")
    escaped = f"%{ord(name[0]):02X}{name[1:]}"
    for one, other in (("a", "a"), ("a", "b"), ("", "a"), ("a", ""), ("", "")):
        assert parse_form(f"{name}={one}&x=1&{name}={other}".encode()) == error
        assert parse_form(f"{name}={one}&{escaped}={other}".encode()) == error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"password=%", NO_FORM),
        (b"password=%1", NO_FORM),
        (b"password=%zz", NO_FORM),
        (b"password=%%41", NO_FORM),
        (b"%g1=x", NO_FORM),
        (b"password=%u0041", NO_FORM),
        (b"password=%ff", NO_UTF_8),
        (b"password=%C3", NO_UTF_8),
        (b"password=%ED%A0%80", NO_UTF_8),
        (b"password=%C0%AF", NO_UTF_8),
        (b"%ff=x", NO_UTF_8),
        (b"password=\xc3\xa9", NO_UTF_8),
        (b"password=\xff", NO_UTF_8),
        (b"\x80", NO_UTF_8),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, error: OAuthError) -> None:
    """A broken escape, bytes outside ASCII, and escapes that are no UTF-8 are `invalid_request`."""
    assert parse_form(body) == error


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
def test_a_parameter_is_only_so_long(name: str, longest: int) -> None:
    """Characters count, not the bytes they are sent in; one more is `invalid_request`."""
    assert parse_form(f"{name}=".encode() + b"%C3%A9" * longest) == {name: "\u00e9" * longest}
    error = OAuthError("invalid_request", f"The parameter {name} is too long")
    assert parse_form(f"{name}=".encode() + b"x" * (longest + 1)) == error


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(body: bytes) -> None:
    """Any body is a form or an `invalid_request`."""
    parsed = parse_form(body)
    if isinstance(parsed, OAuthError):
        assert parsed.error == "invalid_request"
    else:
        assert all(parsed.values())


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=20))
def test_every_form_arrives_as_it_was_sent(form: dict[str, str]) -> None:
    """What a client encodes is what is read."""
    assert parse_form(urlencode(form).encode()) == form


# Errors.

# RFC 6749 section 5.2: %x20-21 / %x23-5B / %x5D-7E
_ALLOWED = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_is_described_in_the_characters_allowed(reason: Reason) -> None:
    """A description is printable ASCII without quotes and backslashes, for every reason."""
    assert _ALLOWED.fullmatch(refusal_of(reason).error_description)


@pytest.mark.parametrize(
    "body", [b"%", b"\xff", b"scope=1&scope=2", b"scope=" + b"x" * 2000, 'p%41="\\\u00e9'.encode()]
)
def test_errors_of_forms_are_described_in_the_characters_allowed(body: bytes) -> None:
    """What the client sent is not echoed into the description."""
    error = parse_form(body)
    assert isinstance(error, OAuthError)
    assert _ALLOWED.fullmatch(error.error_description)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.SCOPE_INVALID, "invalid_scope"),
        (Reason.CREDENTIALS_INVALID, "invalid_grant"),
        (Reason.ACCOUNT_DISABLED, "invalid_grant"),
        (Reason.REFRESH_TOKEN_INVALID, "invalid_grant"),
        (Reason.REFRESH_TOKEN_EXPIRED, "invalid_grant"),
        (Reason.REFRESH_TOKEN_REUSED, "invalid_grant"),
        (Reason.REFRESH_TOKEN_FROM_THE_FUTURE, "invalid_grant"),
        (Reason.SESSION_REVOKED, "invalid_grant"),
    ],
)
def test_refusals_have_their_codes(reason: Reason, code: str) -> None:
    """A bad scope is `invalid_scope`; whatever is wrong with password or token, `invalid_grant`."""
    refusal = refusal_of(reason)
    assert refusal.error == code
    assert refusal.error in get_args(OAuthErrorCode)


def test_a_token_from_the_future_is_told_no_more_than_a_wrong_one() -> None:
    """Whoever forges with a leaked key does not learn how near they came."""
    future = refusal_of(Reason.REFRESH_TOKEN_FROM_THE_FUTURE)
    assert future == refusal_of(Reason.REFRESH_TOKEN_INVALID)
