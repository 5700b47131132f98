"""How long an issued access token lives."""

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.access_tokens import AccessTokenIssuer, Grant
from tests.support.fakes import NOW_S, FakeClock, FakeSigner, id_sequence

GRANT = Grant(subject="ann", session_id=None, client_id="app", roles=(), scopes=(), epoch=0)


class DyingSigner(FakeSigner):
    """Signs with a key that retires."""

    def __init__(self, remaining_s: float) -> None:
        super().__init__()
        self.remaining_s = remaining_s

    def latest_expiry_s(self) -> float:
        return NOW_S + self.remaining_s


def issuer_with(signer: FakeSigner) -> AccessTokenIssuer:
    return AccessTokenIssuer(
        signer,
        issuer="https://edge.test",
        audience="edge",
        lifetime_s=900,
        clock=FakeClock(),
        new_id=id_sequence(),
    )


@pytest.mark.parametrize(("remaining_s", "lives_s"), [(901, 900), (900, 900), (60.9, 60), (1, 1)])
def test_no_token_outlives_its_key(remaining_s: float, lives_s: int) -> None:
    """A token lives as long as set, or as its key does, and says which of the two it is."""
    signer = DyingSigner(remaining_s)
    issued = issuer_with(signer).issue(GRANT)
    assert issued.expires_in_s == lives_s
    assert [claims.exp - claims.iat for claims in signer.signed] == [lives_s]


@pytest.mark.parametrize("remaining_s", [0.9, 0, -1000])
def test_a_token_that_would_be_dead_is_not_issued(remaining_s: float) -> None:
    """Where the key retires within the second, it is 503 and nothing is signed."""
    signer = DyingSigner(remaining_s)
    with pytest.raises(UnavailableError) as caught:
        issuer_with(signer).issue(GRANT)
    assert caught.value.reason is Reason.SIGNING_UNAVAILABLE
    assert signer.signed == []
