"""`files.root`: which folder may be served to everybody."""

import os
from pathlib import Path

import pytest

from edge.settings import Loaded, load


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the data folder and the database are by default."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir(mode=0o755)
    return path


def loaded(root: Path | str, **environ: str) -> Loaded:
    more = {f"EDGE_{name}": value for name, value in environ.items()}
    return load({"EDGE_FILES_ROOT": str(root), **more})


def problems(result: Loaded) -> list[tuple[str, str]]:
    """Give what is wrong with the folder: how bad it is, and in which words."""
    found = [one for one in result.findings if one.variable == "EDGE_FILES_ROOT"]
    return [(one.severity, one.problem) for one in found]


def test_no_folder_is_served_unless_one_is_named() -> None:
    """The default is none, and nothing is wrong with that."""
    assert load({}).settings.files.root is None
    assert load({}).errors == ()


def test_a_folder_of_files_is_fine(folder: Path) -> None:
    """Also by a path relative to where Edge is started."""
    assert problems(loaded(folder)) == []
    assert problems(loaded("files")) == []


@pytest.mark.parametrize("name", ["missing", "file", "link-to-nothing", "loop", "a" * 300, "\0"])
def test_what_is_no_folder_is_an_error(tmp_path: Path, name: str) -> None:
    """It is told at the start, not by a 404 to everybody."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "link-to-nothing").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    [(severity, problem)] = problems(loaded(name))

    assert (severity, "no folder" in problem) == ("error", True)


def test_a_folder_one_may_not_read_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its files would be missing."""
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, who may run this, may read all
    [(severity, problem)] = problems(loaded(folder))

    assert (severity, "may read" in problem) == ("error", True)


@pytest.mark.parametrize(
    "environ",
    [
        {"DATA_DIR": "files/.edge"},
        {"DATA_DIR": "files"},
        {"DATA_DIR": "files/deep/er"},
        {"DATA_DIR": "link-to-files/data"},
        {"DATA_DIR": "."},
        {"DATABASE_URL": "sqlite:///files/edge.db"},
    ],
)
def test_a_folder_with_secrets_in_it_is_an_error(folder: Path, environ: dict[str, str]) -> None:
    """The development key and the database are not for everybody, whatever leads to them."""
    folder.with_name("link-to-files").symlink_to(folder)
    [(severity, problem)] = problems(loaded(folder, **environ))

    assert (severity, "EDGE_DATA_DIR" in problem) == ("error", True)


def test_the_folder_edge_is_started_in_is_an_error() -> None:
    """It is where the data folder is, as long as nothing else is said."""
    assert [severity for severity, _ in problems(loaded("."))] == ["error"]


def test_a_folder_beside_the_secrets_is_fine(folder: Path) -> None:
    """A name that begins alike is another name."""
    environ = {"DATA_DIR": "files-data", "DATABASE_URL": "sqlite:///files.db"}
    assert problems(loaded(folder, **environ)) == []
