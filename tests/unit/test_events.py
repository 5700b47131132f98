"""Security events: names that last, and nothing that is secret."""

import msgspec
import pytest

from edge.access.decision import Malformed, Unauthenticated
from edge.access.sign_in import SignInRefused
from edge.http.context import CONTEXT_KEY, RequestContext
from edge.http.events import login_event, refresh_event, request_event
from edge.reasons import Reason
from edge.telemetry import events
from edge.telemetry.events import AccessDenied, AccountCreated, LoginFailed, SecurityEvent

# What alarms and dashboards ask for: a name is never changed, only added.
NAMES = {
    "login.succeeded": events.LoginSucceeded,
    "login.failed": events.LoginFailed,
    "token.refreshed": events.TokenRefreshed,
    "token.refresh_failed": events.RefreshFailed,
    "token.reuse_detected": events.TokenReuseDetected,
    "token.from_the_future": events.TokenFromTheFuture,
    "token.issued": events.TokenIssued,
    "token.revoked": events.TokenRevoked,
    "client.authentication_failed": events.ClientAuthenticationFailed,
    "client.created": events.ClientCreated,
    "client.secret_rotated": events.ClientSecretRotated,
    "client.disabled": events.ClientDisabled,
    "client.enabled": events.ClientEnabled,
    "session.ended": events.LoggedOut,
    "access.denied": events.AccessDenied,
    "forward.denied": events.ForwardDenied,
    "revocations.unavailable": events.RevocationsUnavailable,
    "housekeeping.failed": events.HousekeepingFailed,
    "key.added": events.KeyAdded,
    "key.retired": events.KeyRetired,
    "key.resealed": events.KeysResealed,
    "key.reload_failed": events.KeyReloadFailed,
    "issuer.keys_changed": events.IssuerKeysChanged,
    "issuer.unavailable": events.IssuerUnavailable,
    "limits.away": events.LimitsAway,
    "limits.back": events.LimitsBack,
    "account.created": events.AccountCreated,
    "account.roles_changed": events.AccountRolesChanged,
    "account.password_changed": events.AccountPasswordChanged,
    "account.profile_changed": events.AccountProfileChanged,
    "account.sessions_ended": events.AccountSessionsEnded,
    "account.disabled": events.AccountDisabled,
    "account.enabled": events.AccountEnabled,
    "account.deleted": events.AccountDeleted,
}

SCOPE = {
    CONTEXT_KEY: RequestContext(
        "request-0123", "203.0.113.9", "https", "a.test", is_from_proxy=True, path="/"
    )
}


def all_kinds(kind: type[SecurityEvent] = SecurityEvent) -> list[type[SecurityEvent]]:
    """Give every kind of event that can be made: those without kinds of their own."""
    below = kind.__subclasses__()
    return [found for one in below for found in all_kinds(one)] if below else [kind]


def test_the_names_of_events_are_these() -> None:
    """Every kind of event has its own stable name, and there is none besides."""
    assert {kind.name: kind for kind in all_kinds()} == NAMES
    assert len(all_kinds()) == len(NAMES)


@pytest.mark.parametrize("kind", all_kinds())
def test_an_event_has_no_room_for_secrets(kind: type[SecurityEvent]) -> None:
    """The fields of events are these, all of them ids, addresses and codes."""
    assert set(kind.__struct_fields__) <= {
        "client_address",
        "request_id",
        "trace_id",
        "principal",
        "session",
        "reason",
        "method",
        "path",
        "by",
        "kid",
        "algorithm",
        "count",
        "issuer",
        "left_out",
        "rule",
        "host",
        "shadow",
    }


@pytest.mark.parametrize("kind", all_kinds())
def test_an_event_does_not_change(kind: type[SecurityEvent]) -> None:
    """Events are immutable, and what is not known is left out when they are written."""
    event = kind(principal="7")
    with pytest.raises(AttributeError):
        event.principal = "8"  # type: ignore[misc]  # the law under test
    assert msgspec.to_builtins(event) == {"principal": "7"}


def test_an_event_about_a_request_says_which() -> None:
    """Address and request id come from the outermost layer, ids as text, reasons as codes."""
    event = request_event(
        AccessDenied,
        SCOPE,
        principal=7,
        session=8,
        reason=Reason.ROLE_MISSING,
        method="GET",
        path="/admin-area",
    )
    assert msgspec.to_builtins(event) == {
        "client_address": "203.0.113.9",
        "request_id": "request-0123",
        "principal": "7",
        "session": "8",
        "reason": "role_missing",
        "method": "GET",
        "path": "/admin-area",
    }


def test_an_event_about_nobody_says_nothing_of_anybody() -> None:
    """Without principal, session and reason only the request is told."""
    event = request_event(LoginFailed, SCOPE)
    assert set(msgspec.to_builtins(event)) == {"client_address", "request_id"}


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (Reason.REFRESH_TOKEN_REUSED, "token.reuse_detected"),
        (Reason.REFRESH_TOKEN_FROM_THE_FUTURE, "token.from_the_future"),
        (Reason.REFRESH_TOKEN_INVALID, "token.refresh_failed"),
        (Reason.REFRESH_TOKEN_EXPIRED, "token.refresh_failed"),
        (Reason.SESSION_REVOKED, "token.refresh_failed"),
        (Reason.ACCOUNT_DISABLED, "token.refresh_failed"),
    ],
)
def test_a_refused_refresh_is_told_by_its_reason(reason: Reason, name: str) -> None:
    """Reuse and tokens from the future have events of their own; all carry the reason."""
    event = refresh_event(SCOPE, SignInRefused(decision=Unauthenticated(reason)))
    assert (event.name, event.reason) == (name, reason.value)


def test_a_refused_login_is_told_with_its_reason() -> None:
    """A login that failed for whatever reason is `login.failed`."""
    for decision in (
        Unauthenticated(Reason.CREDENTIALS_INVALID),
        Malformed(Reason.SCOPE_INVALID),
    ):
        event = login_event(SCOPE, SignInRefused(decision=decision))
        assert (event.name, event.reason) == ("login.failed", decision.reason.value)


def test_a_change_of_an_account_says_who_made_it() -> None:
    """Events of accounts have `by`."""
    event = AccountCreated(principal="7", by="cli")
    assert msgspec.to_builtins(event) == {"principal": "7", "by": "cli"}
