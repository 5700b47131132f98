"""No password and no token in any log of the whole test run; this file runs last."""

import base64
import json
from urllib.parse import urlencode

import pytest

from tests.support import logs
from tests.support.secrets import find_leaks, remember, remembered

FEWEST_LINES = 1000
FEWEST_SECRETS = 200

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
    (leak,) = find_leaks(text, [PLANTED, "another secret"])
    assert leak.line == 2
    assert PLANTED not in str(leak)


def test_short_secrets_are_refused() -> None:
    """A secret that innocent text may hold by chance cannot be remembered."""
    with pytest.raises(ValueError, match="7 characters"):
        remember("hunter2")


def test_there_was_enough_to_search(request: pytest.FixtureRequest) -> None:
    """A whole run leaves many lines and many secrets, so that finding nothing means something."""
    if not is_whole_run(request.session):
        pytest.skip("only a part of the tests was run")
    lines = sum(len(path.read_bytes().splitlines()) for path in logs.collected())
    assert lines >= FEWEST_LINES
    assert len(remembered()) >= FEWEST_SECRETS


def test_no_secret_is_in_any_log() -> None:
    """Nothing that the run logged holds a password or a token that the run used."""
    leaks = [
        f"{path.name}: {leak}"
        for path in logs.collected()
        for leak in find_leaks(path.read_text(encoding="utf-8", errors="replace"), remembered())
    ]
    assert not leaks, "\n".join(leaks)


def is_whole_run(session: pytest.Session) -> bool:
    """Whether every test of the project was run before this one."""
    config = session.config
    everything = {config.rootpath, config.rootpath / "tests"}
    started_at = {config.invocation_params.dir / argument for argument in config.args}
    narrowing = ("keyword", "markexpr", "deselect", "lf", "ignore", "ignore_glob")
    is_narrowed = any(getattr(config.option, option, None) for option in narrowing)
    return not is_narrowed and bool(everything & started_at)
