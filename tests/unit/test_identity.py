"""Who is asking, as fields for the service: always all of them, and nothing a client could add."""

from uuid import UUID

import pytest

from edge.access.decision import Forbidden
from edge.access.principal import Principal
from edge.http.forward.identity import MOST_BYTES, NAMES, NOBODY, identity_fields, is_claimed
from edge.reasons import Reason

USER = UUID("0190b1f6-7a3c-7e44-9a0b-1f2e3d4c5b6a")


def principal(subject: str = str(USER), roles: object = (), scopes: object = ()) -> Principal:
    return Principal(
        subject=subject,
        method="bearer",
        roles=frozenset(roles),  # type: ignore[call-overload]
        scopes=frozenset(scopes),  # type: ignore[call-overload]
        user_id=USER,
    )


def told(*args: str, **kwargs: object) -> dict[bytes, bytes]:
    fields = identity_fields(principal(**kwargs), *args)  # type: ignore[arg-type]
    assert isinstance(fields, list)
    return dict(fields)


def test_all_fields_are_there_whoever_asks() -> None:
    """Empty where something is not known: a load balancer overwrites a client's copy with it."""
    assert [name for name, _ in NOBODY] == list(NAMES)
    assert not any(value for _, value in NOBODY)
    assert list(told("", "")) == list(NAMES)


def test_what_is_known_is_told() -> None:
    """Lists in order, separated by commas."""
    assert told("anna", "a.b.c", roles=["user", "admin"], scopes=["b", "a"]) == {
        b"x-auth-subject": str(USER).encode(),
        b"x-auth-user": b"anna",
        b"x-auth-roles": b"admin,user",
        b"x-auth-scopes": b"a,b",
        b"x-auth-method": b"bearer",
        b"x-auth-assertion": b"a.b.c",
    }


def test_values_are_percent_encoded() -> None:
    """Nothing in them ends a field, begins another one, or is no ASCII."""
    fields = told("j\u00fcrgen, \r\nX-Auth-Roles: admin", "", subject="client:a b%")
    assert fields[b"x-auth-subject"] == b"client%3Aa%20b%25"
    assert fields[b"x-auth-user"] == b"j%C3%BCrgen%2C%20%0D%0AX-Auth-Roles%3A%20admin"


def test_a_name_with_a_comma_or_a_control_character_is_never_told() -> None:
    """Whoever decodes first and splits then would find roles that nobody gave."""
    fields = told("", "", roles=["user,admin", "user\nadmin", "user\x00", "user"])
    assert fields[b"x-auth-roles"] == b"user"


def test_what_does_not_fit_is_not_told_in_part() -> None:
    """A role that is left out might be the one that forbids something."""
    roles = [f"role-{number:04}" for number in range(1000)]
    refused = identity_fields(principal(roles=roles), "", "")
    assert refused == Forbidden(Reason.IDENTITY_TOO_LARGE)
    fields = identity_fields(principal(roles=roles[:350]), "", "")
    assert isinstance(fields, list)
    assert sum(len(name) + len(value) + 4 for name, value in fields) < MOST_BYTES


@pytest.mark.parametrize("name", [name.decode() for name in NAMES])
def test_a_clients_own_field_is_found_in_every_spelling(name: str) -> None:
    """With `_`, `.` and `-` in any mixture; servers have made the letters small already."""
    spellings = {name, name.replace("-", "_"), name.replace("-", "."), name.replace("-", "_", 1)}
    for spelling in spellings:
        assert is_claimed({b"accept": b"", spelling.encode(): b""}), spelling
    assert not is_claimed({b"accept": b"", b"x-auth-token": b"", b"authorization": b""})
