"""Signatures in the form that JWS gives them and the form that libraries take."""

from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from edge.tokens.jose.signatures import to_der, verify_with


def numbers(size: int) -> st.SearchStrategy[bytes]:
    """Give numbers of so many bytes, short ones as often as long ones."""
    padded = st.binary(max_size=size).map(lambda digits: digits.rjust(size, b"\0"))
    return padded | st.binary(min_size=size, max_size=size)


@pytest.mark.parametrize("size", [32, 48])
@given(data=st.data())
def test_it_is_what_the_library_makes_of_the_two_numbers(size: int, data: st.DataObject) -> None:
    """r||s in DER is, byte for byte, what `cryptography` encodes."""
    r, s = data.draw(numbers(size)), data.draw(numbers(size))
    expected = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    assert to_der(r + s, size) == expected


@given(st.integers(0, 255), st.integers(0, 31))
@example(0, 0)
@example(127, 31)
@example(128, 31)
def test_the_sign_is_never_taken_for_a_digit(byte: int, place: int) -> None:
    """A number that begins with a high bit gets a zero before it, a zero stays one byte."""
    number = bytes(place) + bytes([byte]) + bytes(31 - place)
    value = int.from_bytes(number, "big")
    assert to_der(number * 2, 32) == encode_dss_signature(value, value)


MESSAGE: Final = b"signed"
KEYS: Final = {"ES256": ECKey.generate_key("P-256"), "ES384": ECKey.generate_key("P-384")}
GOOD: Final = {name: JWSRegistry.algorithms[name].sign(MESSAGE, key) for name, key in KEYS.items()}


def joserfc_takes(algorithm: str, signature: bytes) -> bool:
    model = JWSRegistry.algorithms[algorithm]
    try:
        return bool(model.verify(MESSAGE, signature, KEYS[algorithm]))
    except (JoseError, ValueError):
        return False


def changed(good: bytes) -> st.SearchStrategy[bytes]:
    """Give signatures of all lengths: cut, padded on either side of each half, zeroed, any."""
    size = len(good) // 2
    r, s = good[:size], good[size:]
    padding = st.sampled_from([b"", b"\0", b"\0\0", b"\1"])
    halves = st.sampled_from([r, s, bytes(size), b"\xff" * size, r.lstrip(b"\0"), b""])
    return st.one_of(
        st.just(good),
        st.integers(0, len(good)).map(lambda end: good[:end]),
        st.builds(lambda a, b, c: a + r + b + s + c, padding, padding, padding),
        st.builds(lambda a, b: a + b, halves, halves),
        st.binary(max_size=3 * size),
    )


@pytest.mark.parametrize("algorithm", KEYS)
@given(data=st.data())
def test_a_signature_is_taken_when_joserfc_takes_it(algorithm: str, data: st.DataObject) -> None:
    """Of whatever length and with whatever numbers: both say the same, and nothing is raised."""
    signature = data.draw(changed(GOOD[algorithm]))
    verify = verify_with(KEYS[algorithm].public_key, algorithm)
    assert verify(MESSAGE, signature) is joserfc_takes(algorithm, signature)
    assert verify(MESSAGE, signature) is (signature == GOOD[algorithm])
