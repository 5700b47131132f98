"""The search of all that the tests of a process logged, for every password and token they used."""

from typing import Final

import pytest

from tests.support import logs, workers
from tests.support.secrets import find_leaks, needles_of, remembered

# A whole run leaves many lines and many secrets, so that finding nothing means something.
FEWEST_LINES: Final = 1000
FEWEST_SECRETS: Final = 200


def check_all(last: pytest.Item) -> None:
    """Fail the last test of this process if anything that was logged holds a secret."""
    # What was printed while its fixtures ended is in no report yet.
    sections = [text for *_, text in last._report_sections]  # noqa: SLF001
    logs.collect(last.nodeid, "teardown", sections)
    leaks = find_all()
    if leaks:
        text = "\n".join(leaks)
        pytest.fail(f"{text}\nthe logs are kept in {logs.keep_folder()}", pytrace=False)
    if _is_whole_run(last.session):
        _see_that_there_was_enough()


def find_all() -> list[str]:
    """Tell where a secret is in what was logged so far."""
    needles = needles_of(remembered())
    return [
        f"{path.name}: {leak}"
        for path in logs.collected()
        for leak in find_leaks(path.read_text(encoding="utf-8", errors="replace"), needles)
    ]


def _see_that_there_was_enough() -> None:
    lines = sum(len(path.read_bytes().splitlines()) for path in logs.collected())
    assert lines * workers.COUNT >= FEWEST_LINES
    assert len(remembered()) * workers.COUNT >= FEWEST_SECRETS


def _is_whole_run(session: pytest.Session) -> bool:
    """Whether every test of the project was run, here or by other workers."""
    config = session.config
    everything = {config.rootpath, config.rootpath / "tests"}
    started_at = {config.invocation_params.dir / argument for argument in config.args}
    narrowing = ("keyword", "markexpr", "deselect", "lf", "ignore", "ignore_glob")
    is_narrowed = any(getattr(config.option, option, None) for option in narrowing)
    return not is_narrowed and bool(everything & started_at)
