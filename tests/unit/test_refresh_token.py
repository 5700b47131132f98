"""Refresh tokens: one spelling, one key, one session, one generation each."""

import base64
import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tokens.refresh_token import PREFIX, RefreshTokenCodec
from tests.support.secrets import remember

CODEC = RefreshTokenCodec(mac_key=b"m" * 32, key_id=b"key1")
SESSION = UUID("0190b1f6-7a3c-7e44-9a0b-1f2e3d4c5b6a")
SALT = b"sixteen of salt."
TOKEN = CODEC.make(SESSION, 7, SALT)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
remember(TOKEN)


def is_good(text: str, codec: RefreshTokenCodec = CODEC, salt: bytes = SALT) -> bool:
    """Say whether the codec takes the text for a token of a session with this salt."""
    token = codec.parse(text)
    return token is not None and codec.proves(token, salt)


def test_a_token_is_what_it_was_made_of() -> None:
    """Taken apart, a token names its key, session and generation, and proves itself."""
    token = CODEC.parse(TOKEN)
    assert token is not None
    assert (token.key_id, token.session_id, token.generation) == (b"key1", SESSION, 7)
    assert len(token.mac) == 32
    assert CODEC.proves(token, SALT)


def test_a_token_has_a_prefix_for_scanners_and_fits_a_form() -> None:
    """It is `edge_rt_` and 76 characters of base64url, without padding."""
    assert TOKEN.startswith("edge_rt_")
    assert len(TOKEN) == 8 + 76
    assert set(TOKEN) <= set(ALPHABET)


def test_the_same_arguments_make_the_same_token() -> None:
    """A successor can be made again, so nothing usable has to be stored."""
    assert CODEC.make(SESSION, 7, SALT) == TOKEN
    assert RefreshTokenCodec(mac_key=b"m" * 32, key_id=b"key1").make(SESSION, 7, SALT) == TOKEN


@given(st.uuids(), st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=32))
def test_every_session_and_generation_survives_the_trip(
    session_id: UUID, generation: int, salt: bytes
) -> None:
    """What is made is parsed to the same values and proven by the same salt only."""
    token = CODEC.parse(CODEC.make(session_id, generation, salt))
    assert token is not None
    assert (token.session_id, token.generation) == (session_id, generation)
    assert CODEC.proves(token, salt)
    assert not CODEC.proves(token, salt + b"x")


@pytest.mark.parametrize("generation", [-1, 2**32, 2**64])
def test_generations_are_unsigned_and_have_32_bits(generation: int) -> None:
    """A generation that does not fit is an error, never another generation."""
    with pytest.raises(struct.error):
        CODEC.make(SESSION, generation, SALT)


def test_no_changed_bit_goes_unnoticed() -> None:
    """Every token that differs from a good one in one bit is refused."""
    raw = base64.urlsafe_b64decode(TOKEN.removeprefix(PREFIX))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert not is_good(PREFIX + base64.urlsafe_b64encode(changed).decode())


def test_no_changed_character_goes_unnoticed() -> None:
    """Every character replaced by any other of the alphabet, or by others, is refused."""
    for at, right in enumerate(TOKEN):
        for wrong in ALPHABET + "=+/ .\n\0\u00e9\ud800":
            if wrong != right:
                assert not is_good(TOKEN[:at] + wrong + TOKEN[at + 1 :])


def test_no_lost_or_added_character_goes_unnoticed() -> None:
    """Characters left out, doubled or put between, also those base64 would skip, are refused."""
    for at in range(len(TOKEN)):
        assert not is_good(TOKEN[:at] + TOKEN[at + 1 :])
        for more in (TOKEN[at], "=", "\n", " ", "!"):
            assert not is_good(TOKEN[:at] + more + TOKEN[at:])


def test_no_other_spelling_of_a_token_is_taken() -> None:
    """Padding, the other base64 alphabet, space, case and a second prefix make no token."""
    slashes = next(
        token
        for token in (CODEC.make(SESSION, generation, SALT) for generation in range(1000))
        if "-" in token.removeprefix(PREFIX) and "_" in token.removeprefix(PREFIX)
    )
    body = slashes.removeprefix(PREFIX)
    assert is_good(PREFIX + body)
    for spelling in (
        body,
        PREFIX + body + "=",
        PREFIX + body + "==",
        PREFIX + PREFIX + body,
        PREFIX + body.replace("-", "+").replace("_", "/"),
        PREFIX.upper() + body,
        " " + PREFIX + body,
        PREFIX + body + "\n",
        PREFIX + body[:-4] + "\n" + body[-4:-1],
        PREFIX + "\u00a0" + body[1:],
    ):
        assert not is_good(spelling)


@pytest.mark.parametrize(
    ("codec", "salt"),
    [
        (RefreshTokenCodec(mac_key=b"n" * 32, key_id=b"key1"), SALT),
        (RefreshTokenCodec(mac_key=b"m" * 31 + b"n", key_id=b"key1"), SALT),
        (RefreshTokenCodec(mac_key=b"m" * 32, key_id=b"key2"), SALT),
        (CODEC, b"another 16 bytes"),
        (CODEC, SALT[:-1]),
        (CODEC, b""),
    ],
    ids=["other key", "almost the key", "other key id", "other salt", "short salt", "no salt"],
)
def test_a_token_is_of_one_key_and_one_salt(codec: RefreshTokenCodec, salt: bytes) -> None:
    """Neither the secret key alone nor the session's row alone makes a token."""
    assert is_good(TOKEN)
    assert not is_good(TOKEN, codec, salt)
    assert not is_good(codec.make(SESSION, 7, salt))


@pytest.mark.parametrize(
    ("session_id", "generation"),
    [(SESSION, 6), (SESSION, 8), (SESSION, 0), (UUID(int=SESSION.int ^ 1), 7)],
)
def test_the_proof_is_of_one_session_and_generation(session_id: UUID, generation: int) -> None:
    """The MAC of one token put under another session or generation proves nothing."""
    right = base64.urlsafe_b64decode(TOKEN.removeprefix(PREFIX))
    other = CODEC.make(session_id, generation, SALT)
    raw = base64.urlsafe_b64decode(other.removeprefix(PREFIX))
    mixed = PREFIX + base64.urlsafe_b64encode(raw[:25] + right[25:]).decode()
    token = CODEC.parse(mixed)
    assert token is not None
    assert (token.session_id, token.generation) == (session_id, generation)
    assert not CODEC.proves(token, SALT)


@given(
    st.text(st.characters(), max_size=200)
    | st.text(st.characters(), min_size=76, max_size=76).map(PREFIX.__add__)
    | st.text(ALPHABET, min_size=76, max_size=76).map(PREFIX.__add__)
)
def test_no_text_makes_it_fail_or_is_good(text: str) -> None:
    """Any text, ASCII or not, is refused quietly."""
    assert not is_good(text)


@given(st.binary(min_size=52, max_size=52))
def test_no_guess_behind_a_right_beginning_is_good(rest: bytes) -> None:
    """The right version and key id before random bytes prove nothing."""
    raw = b"\x01key1" + rest
    assert not is_good(PREFIX + base64.urlsafe_b64encode(raw).decode())


def test_tokens_of_another_accepted_secret_key_are_proven() -> None:
    """While secret keys are exchanged, tokens of both are proven, each by its own MAC key."""
    old = RefreshTokenCodec(mac_key=b"o" * 32, key_id=b"old.")
    both = RefreshTokenCodec(mac_key=b"n" * 32, key_id=b"new.", others={b"old.": b"o" * 32})
    wrong = RefreshTokenCodec(mac_key=b"n" * 32, key_id=b"new.", others={b"old.": b"x" * 32})
    session, salt = UUID(int=7), b"s" * 16
    parsed = both.parse(old.make(session, 3, salt))
    assert parsed is not None
    assert both.proves(parsed, salt)
    assert not wrong.proves(parsed, salt)
    assert old.parse(both.make(session, 3, salt)) is None
