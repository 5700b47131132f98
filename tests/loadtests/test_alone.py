"""What load tests import: nothing of Edge, and locust only where it is needed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "loadtests"
FILES = sorted(FOLDER.rglob("*.py"))
# Whatever imports locust has its process patched by gevent, ours too.
WITH_LOCUST = {
    *("beside", "chosen_shape", "draining", "facts", "floor", "listeners", "options"),
    *("reports", "session", "token_source", "users", "web"),
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_of_edge_is_imported(file: Path) -> None:
    """They run where Edge is not installed."""
    assert not [name for name in imported(file) if name.split(".")[0] == "edge"]


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.parent == FOLDER and file.stem not in WITH_LOCUST],
    ids=lambda file: file.stem,
)
def test_pure_parts_do_without_locust(file: Path) -> None:
    """Neither by themselves nor through others."""
    names = list(imported(file))
    assert not [name for name in names if name.split(".")[0] in ("locust", "gevent")]
    assert not [name for name in names if name.removeprefix("loadtests.") in WITH_LOCUST]
