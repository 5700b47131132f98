"""Making, changing and authenticating clients, over a store in memory."""

import hashlib
import re
from typing import Any

import pytest

from edge.accounts.client import Client, GrantType, are_grants_for, built_in_client, is_client_id
from edge.accounts.clients import ClientRefused, Clients, ClientWithSecret
from edge.reasons import Reason
from tests.support.fakes import FakeClientStore
from tests.support.secrets import remember

BUILT_IN = built_in_client("first-party", ["profile", "admin"])
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")


class House:
    """Clients over a store in memory."""

    def __init__(self) -> None:
        self.store = FakeClientStore()
        self.clients = Clients(self.store, BUILT_IN)

    async def add(self, client_id: str = "billing", **options: Any) -> ClientWithSecret:  # noqa: ANN401  # options of all types
        added = await self.clients.add(client_id, **options)
        assert isinstance(added, ClientWithSecret), added
        if added.secret is not None:
            remember(added.secret)
        return added

    async def refusal(self, client_id: str | None, secret: str | None) -> ClientRefused:
        outcome = await self.clients.authenticate(client_id, secret)
        assert isinstance(outcome, ClientRefused), outcome
        return outcome


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("text", ["a", "A-Z_a.z~09", "x" * 64])
def test_an_id_is_made_of_unreserved_characters(text: str) -> None:
    """Up to 64 letters, digits and `-._~` make an id."""
    assert is_client_id(text)


@pytest.mark.parametrize(
    "text", ["", "x" * 65, "a b", "a:b", "a+b", "a%20b", "a/b", "\u00e4", "a\n", "a\0", "*"]
)
def test_anything_else_is_no_id(text: str) -> None:
    """Whatever some encoding changes, or is too long, is no id."""
    assert not is_client_id(text)


@pytest.mark.parametrize(
    ("grants", "confidential", "public"),
    [
        ([], False, False),
        (["password"], True, True),
        (["password", "refresh_token"], True, True),
        (["refresh_token"], False, False),
        (["client_credentials"], True, False),
        (["client_credentials", "password", "refresh_token"], True, False),
        (["client_credentials", "refresh_token"], False, False),
    ],
)
def test_grants_must_fit_the_client(
    grants: list[GrantType],
    confidential: bool,  # noqa: FBT001  # a row of the table
    public: bool,  # noqa: FBT001
) -> None:
    """Without a secret a client is no account; without a password there is nothing to refresh."""
    assert are_grants_for(grants, is_public=False) is confidential
    assert are_grants_for(grants, is_public=True) is public


async def test_a_secret_has_256_bits_and_is_not_stored(house: House) -> None:
    """43 unreserved characters, different each time; the store has their SHA-256."""
    first, second = await house.add("one"), await house.add("two")
    assert first.secret is not None
    assert len(first.secret) == 43
    assert UNRESERVED.fullmatch(first.secret)
    assert first.secret != second.secret
    digest = hashlib.sha256(first.secret.encode()).digest()
    assert house.store.rows["one"].secret_hash == digest
    assert first.secret not in repr([first, house.store.rows["one"]])


async def test_what_is_usual_for_its_kind_is_the_default(house: House) -> None:
    """A confidential client is a service account, a public one logs its users in."""
    service, app = await house.add("service"), await house.add("app", is_confidential=False)
    assert service.client.grants == ("client_credentials",)
    assert app.client.grants == ("password", "refresh_token")
    assert app.secret is None
    assert service.client.name == "service"
    assert service.client.scopes == frozenset()


@pytest.mark.parametrize(
    ("client_id", "options", "reason"),
    [
        ("a b", {}, Reason.CLIENT_ID_INVALID),
        ("", {}, Reason.CLIENT_ID_INVALID),
        ("first-party", {}, Reason.CLIENT_ID_TAKEN),
        ("taken", {}, Reason.CLIENT_ID_TAKEN),
        ("a", {"name": ""}, Reason.CLIENT_NAME_INVALID),
        ("a", {"name": "x" * 201}, Reason.CLIENT_NAME_INVALID),
        ("a", {"name": "a\nb"}, Reason.CLIENT_NAME_INVALID),
        ("a", {"grants": ["refresh_token"]}, Reason.GRANT_INVALID),
        ("a", {"grants": ["client_credentials"], "is_confidential": False}, Reason.GRANT_INVALID),
        ("a", {"scopes": ["unknown"]}, Reason.SCOPE_INVALID),
        ("a", {"roles": ["No Role"]}, Reason.ROLE_INVALID),
        ("a", {"may_introspect": True, "is_confidential": False}, Reason.CLIENT_IS_PUBLIC),
    ],
)
async def test_what_will_not_do_is_refused(
    house: House, client_id: str, options: dict[str, Any], reason: Reason
) -> None:
    """A refusal says why and stores nothing."""
    await house.add("taken")
    assert await house.clients.add(client_id, **options) is reason
    assert house.store.rows.keys() == {"taken"}


async def test_the_right_secret_gives_the_client(house: House) -> None:
    """Id and secret together prove a confidential client."""
    added = await house.add()
    assert await house.clients.authenticate("billing", added.secret) == added.client


@pytest.mark.parametrize("secret", [None, "", "x", "x" * 43, "\u00e4", "\0"])
async def test_a_wrong_secret_is_refused(house: House, secret: str | None) -> None:
    """Neither another secret nor none proves a confidential client; who it was about is known."""
    added = await house.add()
    refusal = await house.refusal("billing", secret)
    assert refusal == ClientRefused(Reason.CLIENT_CREDENTIALS_INVALID, added.client)


async def test_a_public_client_has_no_secret_to_show(house: House) -> None:
    """Its id alone identifies it; whoever brings a secret is somebody else."""
    app = await house.add("app", is_confidential=False)
    assert await house.clients.authenticate("app", None) == app.client
    assert (await house.refusal("app", "guess")).reason is Reason.CLIENT_CREDENTIALS_INVALID


async def test_the_built_in_client_needs_no_row_and_no_name(house: House) -> None:
    """Who names no client is it, and it may name itself; it has no secret and is not looked up."""
    assert await house.clients.authenticate(None, None) is BUILT_IN
    assert await house.clients.authenticate("first-party", None) is BUILT_IN
    for client_id in (None, "first-party"):
        refusal = await house.refusal(client_id, "guess")
        assert refusal == ClientRefused(Reason.CLIENT_CREDENTIALS_INVALID, BUILT_IN)
    assert house.store.finds == 0


@pytest.mark.parametrize("client_id", ["nobody", "Billing"])
async def test_an_unknown_client_is_refused(house: House, client_id: str) -> None:
    """What nobody added is nobody, and ids match exactly."""
    added = await house.add()
    assert await house.refusal(client_id, added.secret) == ClientRefused(Reason.CLIENT_UNKNOWN)


@pytest.mark.parametrize("client_id", ["", "a b", "a\0b", "x" * 65])
async def test_what_is_no_id_is_not_looked_for(house: House, client_id: str) -> None:
    """A database is not asked about what it cannot hold."""
    assert await house.refusal(client_id, "secret") == ClientRefused(Reason.CLIENT_UNKNOWN)
    assert house.store.finds == 0


async def test_a_disabled_client_is_told_so_only_with_its_secret(house: House) -> None:
    """The reason, which only events hold, tells a guess from an owner."""
    added = await house.add()
    await house.clients.disable("billing")
    right, wrong = await house.refusal("billing", added.secret), await house.refusal("billing", "x")
    assert right.reason is Reason.CLIENT_DISABLED
    assert wrong.reason is Reason.CLIENT_CREDENTIALS_INVALID
    assert await house.clients.enable("billing")
    assert isinstance(await house.clients.authenticate("billing", added.secret), Client)


async def test_a_new_secret_takes_the_place_of_the_old_one(house: House) -> None:
    """From the rotation on only the new one proves the client."""
    old = await house.add()
    new = await house.clients.rotate_secret("billing")
    assert isinstance(new, ClientWithSecret)
    assert new.secret is not None
    remember(new.secret)
    assert await house.clients.authenticate("billing", new.secret) == old.client
    refused = await house.refusal("billing", old.secret)
    assert refused.reason is Reason.CLIENT_CREDENTIALS_INVALID


async def test_only_a_stored_confidential_client_has_a_secret_to_rotate(house: House) -> None:
    """A public client keeps none, and the built-in one is not in the store."""
    await house.add("app", is_confidential=False)
    assert await house.clients.rotate_secret("app") is Reason.CLIENT_IS_PUBLIC
    assert await house.clients.rotate_secret("nobody") is None
    assert await house.clients.rotate_secret("first-party") is None
