"""Tokens of the generator: Edge takes the good ones, and says of the others what they are."""

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from loadtests.issuer import make_issuer, read_issuer
from loadtests.tokens import BAD, Mint, in_turns


@pytest.fixture
def mint(tmp_path: Path) -> Mint:
    return Mint(read_issuer(make_issuer(tmp_path)), "w1", now_s=1_800_000_000)


def test_a_pool_has_its_share_of_bad_ones_in_between(mint: Mint) -> None:
    """Two of a hundred, of all kinds in turns; no subject is there twice."""
    breaths: list[int] = []
    pool = mint.pool(400, 0.02, lambda: breaths.append(1))
    kinds = [token.refused_with for token in pool if token.refused_with]
    assert kinds == [*BAD, *BAD]
    assert all(any(token.refused_with for token in pool[at : at + 50]) for at in (0, 50, 350))
    assert len({token.subject for token in pool}) == 400
    assert len(breaths) == 8


def test_tokens_are_used_in_turns(mint: Mint) -> None:
    """From anywhere on, each as often as the others."""
    pool = mint.pool(5, 0, lambda: None)
    turns = in_turns(pool, random.Random(3))  # noqa: S311  # no secret
    used = [next(turns) for _ in range(10)]
    assert used[:5] == used[5:]
    assert {token.subject for token in used} == {token.subject for token in pool}


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    """And the key set has no private part."""
    file = make_issuer(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
    assert set(read_issuer(file).key_set()["keys"][0]) == {
        *("kty", "crv", "alg", "use", "kid", "x", "y")
    }


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    """With a message, before anything is signed."""
    file = tmp_path / "rsa.pem"
    key = rsa.generate_private_key(65537, 2048)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(ValueError, match="P-256"):
        read_issuer(file)
