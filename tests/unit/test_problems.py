"""Problem documents and challenges."""

import msgspec
import pytest

from edge.access.principal import Method
from edge.http.problems import FieldError, challenges, problem, scope_challenge
from edge.reasons import Reason

BEARER: frozenset[Method] = frozenset({"bearer"})
BASIC: frozenset[Method] = frozenset({"basic"})

# Accounts are made and changed on the command line; no route answers with these.
_OF_THE_COMMAND_LINE = frozenset(
    {
        Reason.CLIENT_ID_INVALID,
        Reason.CLIENT_ID_TAKEN,
        Reason.CLIENT_NAME_INVALID,
        Reason.GRANT_INVALID,
        Reason.KEY_NEEDED,
        Reason.KEY_IN_USE,
    }
)
# The OAuth endpoints answer in words of their own; these are in events.
_OF_OAUTH = frozenset(
    {
        Reason.CLIENT_UNKNOWN,
        Reason.CLIENT_CREDENTIALS_INVALID,
        Reason.CLIENT_DISABLED,
        Reason.CLIENT_IS_PUBLIC,
        Reason.TOKEN_OF_ANOTHER_CLIENT,
    }
)
OF_HTTP = [reason for reason in Reason if reason not in _OF_THE_COMMAND_LINE | _OF_OAUTH]

ABOUT_THE_TOKEN = {
    Reason.TOKEN_MALFORMED,
    Reason.TOKEN_EXPIRED,
    Reason.TOKEN_NOT_YET_VALID,
    Reason.TOKEN_REVOKED,
    Reason.TYPE_MISMATCH,
    Reason.KEY_UNKNOWN,
    Reason.ALGORITHM_MISMATCH,
    Reason.SIGNATURE_INVALID,
    Reason.ISSUER_UNKNOWN,
    Reason.AUDIENCE_MISMATCH,
}


@pytest.mark.parametrize("reason", OF_HTTP)
def test_every_reason_has_a_title_of_its_own_words(reason: Reason) -> None:
    """No document falls back to the phrase of its status, and each is a sentence's beginning."""
    title = problem(reason, 418, request_id="an-id").title
    assert title != "I'm a Teapot"
    assert title[0].isupper()
    assert not title.endswith(".")


def test_a_reason_without_a_title_gets_the_phrase_of_the_status() -> None:
    """A document always has a title."""
    assert problem(Reason.CLIENT_ID_TAKEN, 409, request_id="an-id").title == "Conflict"


def test_a_document_has_all_members() -> None:
    """RFC 9457's five, and the code; `errors` only where there are any."""
    document = problem(Reason.TOKEN_EXPIRED, 401, request_id="an-id")
    assert msgspec.to_builtins(document) == {
        "type": "urn:edge:problem:token_expired",
        "title": "The access token has expired",
        "status": 401,
        "detail": "The access token has expired.",
        "instance": "urn:edge:request:an-id",
        "code": "token_expired",
    }


def test_a_document_names_every_field_at_fault() -> None:
    """Errors are pointers with their details, in the order given."""
    errors = [FieldError("/username", "is required"), FieldError("/a~1b/0", "is unknown")]
    document = problem(Reason.VALIDATION_FAILED, 400, request_id="an-id", errors=errors)
    assert msgspec.to_builtins(document)["errors"] == [
        {"pointer": "/username", "detail": "is required"},
        {"pointer": "/a~1b/0", "detail": "is unknown"},
    ]


def test_a_detail_may_say_more_than_the_title() -> None:
    """A given detail stands in the document; the title stays the reason's."""
    document = problem(Reason.NOT_FOUND, 404, request_id="an-id", detail="No user 7.")
    assert (document.title, document.detail) == ("There is nothing here", "No user 7.")


@pytest.mark.parametrize("reason", list(Reason))
def test_codes_are_words_for_logs_and_labels(reason: Reason) -> None:
    """A reason code is lower-case letters and underscores, the name of its constant."""
    assert reason.value == reason.name.lower()
    assert reason.value.replace("_", "").isalpha()


@pytest.mark.parametrize(
    ("accepted", "reason", "values"),
    [
        (BEARER, Reason.CREDENTIALS_MISSING, ['Bearer realm="the realm"']),
        (BEARER, Reason.CREDENTIALS_INVALID, ['Bearer realm="the realm"']),
        (BEARER, Reason.ACCOUNT_DISABLED, ['Bearer realm="the realm"']),
        (
            BEARER,
            Reason.TOKEN_EXPIRED,
            ['Bearer realm="the realm", error="invalid_token"'],
        ),
        (BASIC, Reason.CREDENTIALS_MISSING, ['Basic realm="the realm", charset="UTF-8"']),
        (BASIC, Reason.CREDENTIALS_INVALID, ['Basic realm="the realm", charset="UTF-8"']),
        (
            BEARER | BASIC,
            Reason.CREDENTIALS_MISSING,
            ['Bearer realm="the realm"', 'Basic realm="the realm", charset="UTF-8"'],
        ),
        (
            BEARER | BASIC,
            Reason.TOKEN_REVOKED,
            [
                'Bearer realm="the realm", error="invalid_token"',
                'Basic realm="the realm", charset="UTF-8"',
            ],
        ),
        (frozenset(), Reason.CREDENTIALS_MISSING, []),
    ],
)
def test_a_challenge_names_each_method_the_route_accepts(
    accepted: frozenset[Method], reason: Reason, values: list[str]
) -> None:
    """Every challenge has a realm; Basic names its charset (RFC 7617 section 2.1)."""
    assert challenges("the realm", accepted, reason) == values


@pytest.mark.parametrize("reason", OF_HTTP)
def test_an_error_is_named_only_where_a_token_was_sent(reason: Reason) -> None:
    """`invalid_token` stands in the challenge for reasons about a bearer token, and no others."""
    (value,) = challenges("edge", BEARER, reason)
    assert ('error="invalid_token"' in value) is (reason in ABOUT_THE_TOKEN)


def test_a_want_of_scopes_is_challenged_with_their_names() -> None:
    """A 403 for scopes names the error and all scopes that are needed (RFC 6750 section 3.1)."""
    assert (
        scope_challenge("edge", ("admin", "profile"))
        == 'Bearer realm="edge", error="insufficient_scope", scope="admin profile"'
    )
