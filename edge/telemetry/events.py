"""Security events: typed values with stable names, never holding a secret.

A name is part of the interface, like a reason code. `principal` is a user's id, never the name
that somebody typed: people type passwords into name fields.
"""

from collections.abc import Callable, Iterator
from typing import ClassVar

import msgspec


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that somebody responsible for security wants to know of."""

    name: ClassVar[str]
    client_address: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    principal: str | None = None
    session: str | None = None
    reason: str | None = None


class LoginSucceeded(SecurityEvent, frozen=True, kw_only=True):
    name = "login.succeeded"


class LoginFailed(SecurityEvent, frozen=True, kw_only=True):
    name = "login.failed"


class TokenRefreshed(SecurityEvent, frozen=True, kw_only=True):
    name = "token.refreshed"


class RefreshFailed(SecurityEvent, frozen=True, kw_only=True):
    name = "token.refresh_failed"


class TokenReuseDetected(SecurityEvent, frozen=True, kw_only=True):
    """An old refresh token came back: two parties have it. The session was ended."""

    name = "token.reuse_detected"


class TokenFromTheFuture(SecurityEvent, frozen=True, kw_only=True):
    """A proven refresh token that this database never gave out: set back, or a key leaked."""

    name = "token.from_the_future"


class TokenIssued(SecurityEvent, frozen=True, kw_only=True):
    """A client got an access token for itself."""

    name = "token.issued"


class TokenRevoked(SecurityEvent, frozen=True, kw_only=True):
    """`principal` is whose token it was, `by` the client that revoked it, or `cli`."""

    name = "token.revoked"
    by: str = ""
    issuer: str = ""


class ClientAuthenticationFailed(SecurityEvent, frozen=True, kw_only=True):
    name = "client.authentication_failed"


class LoggedOut(SecurityEvent, frozen=True, kw_only=True):
    name = "session.ended"


class AccessDenied(SecurityEvent, frozen=True, kw_only=True):
    name = "access.denied"
    method: str = ""
    path: str = ""


class ForwardDenied(SecurityEvent, frozen=True, kw_only=True):
    """A request that a load balancer asked about; `shadow` ones got through all the same."""

    name = "forward.denied"
    rule: str = ""
    method: str = ""
    host: str = ""
    path: str = ""
    shadow: str = "false"


class RevocationsUnavailable(SecurityEvent, frozen=True, kw_only=True):
    """The change list could not be read; told once an outage."""

    name = "revocations.unavailable"


class HousekeepingFailed(SecurityEvent, frozen=True, kw_only=True):
    """A round of purging was cut short; the next one goes on."""

    name = "housekeeping.failed"


class AccountChanged(SecurityEvent, frozen=True, kw_only=True):
    """What all changes of an account share; `by` is who made it, such as `cli`."""

    by: str = ""


class AccountCreated(AccountChanged, frozen=True, kw_only=True):
    name = "account.created"


class AccountRolesChanged(AccountChanged, frozen=True, kw_only=True):
    name = "account.roles_changed"


class AccountPasswordChanged(AccountChanged, frozen=True, kw_only=True):
    name = "account.password_changed"


class AccountProfileChanged(AccountChanged, frozen=True, kw_only=True):
    name = "account.profile_changed"


class AccountSessionsEnded(AccountChanged, frozen=True, kw_only=True):
    name = "account.sessions_ended"


class AccountDisabled(AccountChanged, frozen=True, kw_only=True):
    name = "account.disabled"


class AccountEnabled(AccountChanged, frozen=True, kw_only=True):
    name = "account.enabled"


class AccountDeleted(AccountChanged, frozen=True, kw_only=True):
    name = "account.deleted"


class ClientCreated(AccountChanged, frozen=True, kw_only=True):
    name = "client.created"


class ClientSecretRotated(AccountChanged, frozen=True, kw_only=True):
    name = "client.secret_rotated"


class ClientDisabled(AccountChanged, frozen=True, kw_only=True):
    name = "client.disabled"


class ClientEnabled(AccountChanged, frozen=True, kw_only=True):
    name = "client.enabled"


class KeyChanged(SecurityEvent, frozen=True, kw_only=True):
    """What all changes of signing keys share; `by` is `cli`, or `edge` for Edge itself."""

    kid: str = ""
    by: str = ""


class KeyAdded(KeyChanged, frozen=True, kw_only=True):
    """A signing key was made or imported, and will sign."""

    name = "key.added"
    algorithm: str = ""


class KeyRetired(KeyChanged, frozen=True, kw_only=True):
    """A signing key was made to count for nothing before its time."""

    name = "key.retired"


class KeysResealed(SecurityEvent, frozen=True, kw_only=True):
    """Signing keys were sealed anew under the current secret key."""

    name = "key.resealed"
    count: int = 0


class KeyReloadFailed(SecurityEvent, frozen=True, kw_only=True):
    """The signing keys could not be read; told once an outage."""

    name = "key.reload_failed"


class IssuerKeysChanged(SecurityEvent, frozen=True, kw_only=True):
    """A trusted issuer has other keys than before; `left_out` says which cannot be used."""

    name = "issuer.keys_changed"
    issuer: str = ""
    count: int = 0
    left_out: tuple[str, ...] = ()


class IssuerUnavailable(SecurityEvent, frozen=True, kw_only=True):
    """The keys of a trusted issuer could not be fetched; told once an outage."""

    name = "issuer.unavailable"
    issuer: str = ""


class LimitsAway(SecurityEvent, frozen=True, kw_only=True):
    """Redis does not decide about rate limits: `on_outage` of each policy does."""

    name = "limits.away"


class LimitsBack(SecurityEvent, frozen=True, kw_only=True):
    """Redis decides about rate limits again."""

    name = "limits.back"


Record = Callable[[SecurityEvent], None]
"""Takes note of an event; never fails and never waits."""


def names(kind: type[SecurityEvent] = SecurityEvent) -> Iterator[str]:
    """Give the name of every event."""
    if hasattr(kind, "name"):
        yield kind.name
    for narrower in kind.__subclasses__():
        yield from names(narrower)
