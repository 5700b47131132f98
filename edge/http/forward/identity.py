"""Who is asking, as header fields for the service behind the load balancer.

Each field is there on every 2xx, empty where it is not known: a load balancer that copies it puts
it over what a client sent.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Final
from urllib.parse import quote

from edge.access.decision import Forbidden
from edge.access.principal import Principal
from edge.accounts.usernames import Usernames
from edge.reasons import Reason
from edge.tokens.assertions import AssertionIssuer

Fields = list[tuple[bytes, bytes]]

SUBJECT: Final = b"x-auth-subject"
USER: Final = b"x-auth-user"
ROLES: Final = b"x-auth-roles"
SCOPES: Final = b"x-auth-scopes"
METHOD: Final = b"x-auth-method"
ASSERTION: Final = b"x-auth-assertion"
NAMES: Final = (SUBJECT, USER, ROLES, SCOPES, METHOD, ASSERTION)

NOBODY: Final[Fields] = [(name, b"") for name in NAMES]

# What nginx and others take for one answer's header by default.
MOST_BYTES: Final = 4096
_PER_FIELD: Final = 4  # ": " and the end of the line


def _aliases(name: bytes) -> Iterable[bytes]:
    first, *rest = name.split(b"-")
    for separators in product((b"-", b"_", b"."), repeat=len(rest)):
        yield first + b"".join(map(b"".join, zip(separators, rest, strict=True)))


# WSGI and CGI make one name of them all (RFC 3875 section 4.1.18), and so do some load balancers.
_ALIASES: Final = frozenset(alias for name in NAMES for alias in _aliases(name))


def is_claimed(named: Mapping[bytes, bytes]) -> bool:
    """Say whether a client sent one of these fields itself, in any spelling."""
    return not _ALIASES.isdisjoint(named)


class Identity:
    """Makes the fields for a principal, with an assertion where somebody is to check it."""

    def __init__(self, usernames: Usernames, assertions: AssertionIssuer) -> None:
        self._usernames = usernames
        self._assertions = assertions

    async def fields(self, principal: Principal, audience: str) -> Fields | Forbidden:
        """Give the fields; an `audience` gets an assertion.

        Raises:
            UnavailableError: the assertion cannot be signed now.
        """
        if audience:
            return await self._signed(principal, audience)
        return identity_fields(principal, await self._username(principal), "")

    async def _signed(self, principal: Principal, audience: str) -> Fields | Forbidden:
        username = await self._username(principal)
        assertion = self._assertions.issue(
            principal.subject,
            audience,
            method=principal.method,
            roles=principal.roles,
            scopes=principal.scopes,
        )
        return identity_fields(principal, username, assertion)

    async def _username(self, principal: Principal) -> str:
        user_id = principal.user_id
        if user_id is None:
            return ""
        known = self._usernames.recall(user_id)
        return await self._usernames.look_up(user_id) if known is None else known


def identity_fields(principal: Principal, username: str, assertion: str) -> Fields | Forbidden:
    """Give the fields for a principal, values percent-encoded; they may not be too long. Pure."""
    fields = [
        (SUBJECT, _encoded(principal.subject)),
        (USER, _encoded(username)),
        (ROLES, _listed(principal.roles)),
        (SCOPES, _listed(principal.scopes)),
        (METHOD, principal.method.encode("ascii")),
        (ASSERTION, assertion.encode("ascii")),
    ]
    size = sum(len(name) + len(value) + _PER_FIELD for name, value in fields)
    return fields if size < MOST_BYTES else Forbidden(Reason.IDENTITY_TOO_LARGE)


def _listed(names: Iterable[str]) -> bytes:
    # Whoever decodes before splitting would take a name with a comma for two.
    return b",".join(_encoded(name) for name in sorted(names) if _is_plain(name))


def _is_plain(name: str) -> bool:
    return "," not in name and name.isprintable()


def _encoded(text: str) -> bytes:
    return quote(text, safe="").encode("ascii")
