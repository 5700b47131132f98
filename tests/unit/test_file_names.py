"""From the path of a request to the names of a file."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.files.names import names_in
from tests.support.paths import NOWHERE


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (b"a.txt", ("a.txt",)),
        (b"sub/deep/a.txt", ("sub", "deep", "a.txt")),
        (b"%61.txt", ("a.txt",)),
        (b"n%C3%A4me.txt", ("n\u00e4me.txt",)),
        ("n\u00e4me.txt".encode(), ("n\u00e4me.txt",)),
        (b"two%20words", ("two words",)),
        (b"a+b", ("a+b",)),
        (b"100%25", ("100%",)),
        (b"%252e%252e", ("%2e%2e",)),
        (b"a..b/c...", ("a..b", "c...")),
        (b"a;b=c", ("a;b=c",)),
        (b"C:", ("C:",)),
        (b"\xe2\x80\xae.txt", ("\u202e.txt",)),
    ],
)
def test_a_path_names_what_it_says(path: bytes, names: tuple[str, ...]) -> None:
    """Each segment is decoded once and taken as it is."""
    assert names_in(path) == names


@pytest.mark.parametrize("path", NOWHERE)
def test_a_path_that_is_no_path_beneath_a_folder_names_nothing(path: bytes) -> None:
    """Dots, slashes, controls, what is hidden and what is broken lead nowhere."""
    assert names_in(path) is None


_TRICKY = st.sampled_from(
    [*"./\\\0\n%:~", "..", "%2e", "%2E", "%2f", "%5c", "%00", "%25", "%c0%ae", "%ff", "a", "\u00e4"]
)


@given(st.lists(_TRICKY).map("".join).map(str.encode) | st.binary() | st.text().map(str.encode))
def test_no_path_gives_a_name_that_leads_elsewhere(path: bytes) -> None:
    """No name is empty, `.` or `..`, hidden, or holds a slash, a backslash or a control."""
    for name in names_in(path) or ():
        assert name
        assert not name.startswith(".")
        assert not set(name) & set("/\\\0\n\r\x7f\x85")


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_path_of_encoded_names_gives_them_back_or_nothing(names: list[str]) -> None:
    """What is asked for is what is looked for: no name turns into another one."""
    path = "/".join(quote(name, safe="") for name in names).encode()

    assert names_in(path) in (tuple(names), None)
