"""Signatures in the form that JWS gives them and the form that libraries take."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from edge.tokens.jose.signatures import to_der


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
