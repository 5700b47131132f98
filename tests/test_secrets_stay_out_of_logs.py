"""No password and no token in any log of a test run: `log_search` looks for them at its end."""

import base64
import json
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from tests.support.runs import run_tests
from tests.support.secrets import find_leaks, needles_of, remember

# Long enough, and with something for each way of spelling to change.
PLANTED = 'pass word+"ü'

SPELLINGS = {
    "as it is": PLANTED,
    "in JSON": json.dumps({"password": PLANTED}),
    "in JSON of any letters": json.dumps({"password": PLANTED}, ensure_ascii=False),
    "in a Python message": repr({"password": PLANTED}),
    "in a form": urlencode({"password": PLANTED}),
    **{
        f"in Basic credentials of {user}": base64.b64encode(f"{user}:{PLANTED}".encode()).decode()
        for user in ("al", "ali", "alic")
    },
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_planted_secret_is_found(spelling: str) -> None:
    """The search finds a secret in every spelling and tells the line, not the secret."""
    text = f"first line\nbefore {SPELLINGS[spelling]} after\nlast line"
    (leak,) = find_leaks(text, needles_of([PLANTED, "another secret"]))
    assert leak.line == 2
    assert PLANTED not in str(leak)


def test_one_character_over_and_over_is_not_looked_for() -> None:
    """A hole in a file is full of NULs, and holds no secret; two characters may be one."""
    assert find_leaks("\0" * 100, needles_of(["\0" * 15])) == []
    assert len(find_leaks("ab" * 50, needles_of(["ab" * 8]))) == 1


def test_short_secrets_are_refused() -> None:
    """A secret that innocent text may hold by chance cannot be remembered."""
    with pytest.raises(ValueError, match="7 characters"):
        remember("hunter2")


LEAKING: Final = """
import logging, pytest
from tests.support.logs import server_log
from tests.support.secrets import remember

def test_one():
    remember("printed secret")
    print("printed secret")

def test_two():
    remember("logged secret")
    logging.getLogger("edge").debug("logged secret")

def test_three():
    remember("served secret")
    server_log("name").write_text("served secret")

@pytest.fixture
def last_words():
    yield
    print("ending secret")

def test_four(last_words):
    remember("ending secret")
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_leaks_fails(workers: int, tmp_path: Path) -> None:
    """Whatever way a secret got into a log, at the very end too, and in whatever process."""
    run = run_tests(LEAKING, tmp_path, workers=workers)

    assert "4 passed" in run.stdout, run.stdout + run.stderr
    found = re.findall("begins with '([a-z]+)'", run.stdout)
    assert (run.returncode, set(found)) == (1, {"endi", "logg", "prin", "serv"})
