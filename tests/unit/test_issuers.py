"""What is made of a table of `[[issuers]]`: each value reaches what it is about."""

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from edge.issuers import key_set_of, reader_of
from edge.reasons import Reason
from edge.settings.model import TrustedIssuer
from edge.tokens import key_sets
from edge.tokens.claims import VerifiedToken
from edge.tokens.verifier import Verifier
from tests.support.fakes import NOW_S, FakeClock, Sleeps
from tests.support.issuer import Provider

ISSUER: Final = "https://first.test"


class House:
    """Verifier and key set of one issuer, whose keys are in a file."""

    def __init__(self, folder: Path, **fields: Any) -> None:  # noqa: ANN401  # of the table
        self.provider = Provider(ISSUER)
        self.clock = FakeClock()
        file = folder / "jwks.json"
        file.write_bytes(self.provider.document())
        trusted = TrustedIssuer(
            issuer=ISSUER, subject_prefix="first", audiences=("edge",), jwks_file=file, **fields
        )
        self.verifier = Verifier([reader_of(trusted)], most_remembered=0)
        self.key_set = key_set_of(trusted, self.verifier, lambda _: None, self.clock)

    def reason(self, **claims: Any) -> Reason | None:  # noqa: ANN401  # of all types
        """Say why a token with these claims is refused now."""
        token = self.provider.token(**claims).encode()
        verified = self.verifier.verify(token, self.clock())
        return None if isinstance(verified, VerifiedToken) else verified


@pytest.mark.parametrize("leeway_s", [0, 5, 120])
async def test_the_leeway_is_that_of_the_table(tmp_path: Path, leeway_s: int) -> None:
    """So many seconds clocks may differ, on either side, and not one more."""
    house = House(tmp_path, leeway_s=leeway_s)
    await house.key_set.refresh()
    assert house.reason(exp=NOW_S - leeway_s + 1) is None
    assert house.reason(exp=NOW_S - leeway_s) is Reason.TOKEN_EXPIRED
    assert house.reason(nbf=NOW_S + leeway_s) is None
    assert house.reason(nbf=NOW_S + leeway_s + 1) is Reason.TOKEN_NOT_YET_VALID


@pytest.mark.parametrize("stale_s", [300, 7200])
async def test_keys_are_good_as_long_as_the_table_says(tmp_path: Path, stale_s: int) -> None:
    """They end `stale_s` after they were fetched."""
    house = House(tmp_path, refresh_s=10, stale_s=stale_s)
    await house.key_set.refresh()
    house.clock.forward(stale_s - 1)
    assert house.reason() is None
    house.clock.forward(1)
    assert house.reason() is Reason.KEY_UNKNOWN


@pytest.mark.parametrize("refresh_s", [10, 600])
async def test_keys_are_fetched_as_often_as_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refresh_s: int
) -> None:
    """Every `refresh_s`, a tenth more or less, so that replicas do not ask at once."""
    sleeps, house = Sleeps(), House(tmp_path, refresh_s=refresh_s)
    sleeps.replace_in(key_sets, monkeypatch)
    running = asyncio.create_task(house.key_set.run())
    pauses = []
    for _ in range(50):
        pauses.append(await sleeps.next() / refresh_s)
        sleeps.wake()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert all(0.9 <= pause <= 1.1 for pause in pauses)
    assert min(pauses) < 0.98
    assert max(pauses) > 1.02


async def test_audiences_types_and_algorithms_are_those_of_the_table(tmp_path: Path) -> None:
    """What is for others, of another type or signed in another way is refused."""
    house = House(tmp_path, types=("JWT",))
    await house.key_set.refresh()
    assert house.reason(typ="JWT") is None
    assert house.reason(typ="jwt") is None
    assert house.reason() is Reason.TYPE_MISMATCH
    assert house.reason(typ="JWT", aud="other") is Reason.AUDIENCE_MISMATCH
    other = House(tmp_path, algorithms=("RS256",))
    await other.key_set.refresh()
    assert other.reason() is Reason.KEY_UNKNOWN
