"""Reading what a client says it is: Basic or post body, never both."""

import base64
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.client_authentication import ClientCredentials, read_client_credentials
from edge.http.oauth import OAuthError


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("form", "client_id", "secret"),
    [
        ({}, None, None),
        ({"client_id": "a"}, "a", None),
        ({"client_id": "a", "client_secret": "b"}, "a", "b"),
        ({"client_secret": "b"}, None, "b"),
    ],
)
def test_a_body_says_id_and_secret(
    form: dict[str, str], client_id: str | None, secret: str | None
) -> None:
    """Without the field, the form says who it is, as far as it does."""
    assert read_client_credentials([], form) == ClientCredentials(client_id, secret)


@pytest.mark.parametrize(
    ("text", "client_id", "secret"),
    [
        ("a:b", "a", "b"),
        ("a:", "a", None),
        ("a:b:c", "a", "b:c"),
        ("a%3Ab:c", "a:b", "c"),
        ("a:b%25c", "a", "b%c"),
        ("a:b+c", "a", "b c"),
        ("a:b%20c", "a", "b c"),
        ("a:b%2Bc", "a", "b+c"),
        ("a%c3%A9:%E2%82%AC", "a\u00e9", "\u20ac"),
        ("a-._~:b-._~", "a-._~", "b-._~"),
        (":b", "", "b"),
    ],
)
def test_both_halves_of_basic_are_form_decoded(
    text: str, client_id: str, secret: str | None
) -> None:
    """RFC 6749 section 2.3.1: id and secret are form-encoded, each, before they are joined."""
    read = read_client_credentials([basic(text)], {"client_id": client_id} if client_id else {})
    assert read == ClientCredentials(client_id, secret)


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_id_and_secret_arrives_as_it_was_sent(client_id: str, secret: str) -> None:
    """What a client encodes is what is read, whatever characters it has."""
    read = read_client_credentials([basic(f"{quote_plus(client_id)}:{quote_plus(secret)}")], {})
    assert read == ClientCredentials(client_id, secret)


@pytest.mark.parametrize(
    ("fields", "form", "error"),
    [
        ([basic("a:b")], {"client_secret": "b"}, "invalid_request"),
        ([basic("a:b")], {"client_id": "a", "client_secret": "b"}, "invalid_request"),
        ([basic("a:")], {"client_secret": "b"}, "invalid_request"),
        ([basic("a:b")], {"client_id": "other"}, "invalid_request"),
        ([basic("a:b"), basic("a:b")], {}, "invalid_request"),
        ([b"Basic"], {}, "invalid_request"),
        ([b"Basic !"], {}, "invalid_request"),
        ([basic("no colon")], {}, "invalid_request"),
        ([b""], {}, "invalid_request"),
        ([b"Bearer x"], {}, "invalid_client"),
        ([b"Digest x"], {"client_id": "a", "client_secret": "b"}, "invalid_client"),
        ([basic("a%:b")], {}, "invalid_client"),
        ([basic("a:%zz")], {}, "invalid_client"),
        ([basic("a:%ff")], {}, "invalid_client"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    fields: list[bytes], form: dict[str, str], error: str
) -> None:
    """Two ways or a malformed field are the request's fault; what proves nothing, the client's."""
    read = read_client_credentials(fields, form)
    assert isinstance(read, OAuthError)
    assert read.error == error


def test_credentials_do_not_show_themselves() -> None:
    """The representation holds neither id nor secret."""
    assert repr(ClientCredentials("an-id", "a-secret")) == "ClientCredentials(********)"
