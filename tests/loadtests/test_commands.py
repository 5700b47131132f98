"""`python -m loadtests`: what is wrong with a command is said before anything is asked."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from loadtests.__main__ import main
from loadtests.plain_http import ask

GOOD = "[ci.mixed.verify]\nerror_ratio = 0\n"
MISSPELT = "[ci.mixt.verify]\nerror_ratio = 0\n"


@pytest.mark.parametrize(
    ("slo", "options", "said"),
    [
        (GOOD, ["--profile", "nightly"], "there is no profile nightly, only ci"),
        (MISSPELT, [], "slo.toml: there are no objectives for ci.mixed"),
        (GOOD, ["--report", "/dev/null/report"], "/dev/null"),
        ("[ci", [], "slo.toml: Expected"),
    ],
)
def test_a_wrong_command_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    slo: str,
    options: Sequence[str],
    said: str,
) -> None:
    """By exit code 2, since 1 is for objectives that were missed, and before locust starts."""
    file = tmp_path / "slo.toml"
    file.write_text(slo)
    with pytest.raises(SystemExit) as ended:
        main(["mixed", "--slo", str(file), *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("url", ["/login", "id.example.com/login", "http://127.0.0.1:9/login"])
def test_where_nobody_answers_is_said(url: str) -> None:
    """Whether there is nobody, or it is no URL."""
    with pytest.raises(OSError, match=f"nobody answers at {url}: "):
        ask(url)
