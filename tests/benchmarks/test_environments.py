"""The packages of both sides."""

from pathlib import Path

import pytest

from benchmarks.harness.environments import differences, digest_of, lock_of, run
from benchmarks.harness.errors import PreparationError

BASE = """
# made by a tool
granian==2.8.6 \\
    --hash=sha256:aa
pyjwt[crypto]==2.15.0 ; sys_platform == 'linux' \\
    --hash=sha256:bb
    # via x==1
gone==1
same==1
"""
HEAD = BASE.replace("2.8.6", "2.8.7").replace("2.15.0", "2.16.0").replace("gone", "came")


def test_packages_that_changed_are_named() -> None:
    """With both versions; who came and who went too."""
    assert differences(BASE, BASE) == []
    assert differences(BASE, HEAD) == [
        "came none -> 1",
        "gone 1 -> none",
        "granian 2.8.6 -> 2.8.7",
        "pyjwt 2.15.0 -> 2.16.0",
    ]


def test_both_sides_are_installed_from_the_lock_that_both_have(tmp_path: Path) -> None:
    """An older base has none for benchmarks, and has one for tests."""
    base, head = tmp_path / "a", tmp_path / "b"
    for tree, names in ((base, ["dev"]), (head, ["dev", "bench"])):
        (tree / "requirements").mkdir(parents=True)
        for name in names:
            (tree / "requirements" / f"{name}.txt").write_text(tree.name)
    assert lock_of(base, head) == Path("requirements/dev.txt")
    assert lock_of(head, head) == Path("requirements/bench.txt")
    with pytest.raises(PreparationError, match="both need"):
        lock_of(tmp_path, head)


def test_an_environment_is_named_by_its_lock(tmp_path: Path) -> None:
    """Names are of equal length, as paths of both sides have to be."""
    (tmp_path / "one").write_text(BASE)
    (tmp_path / "same").write_text(BASE)
    (tmp_path / "other").write_text(HEAD)
    one, same, other = (digest_of(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same != other
    assert len(one) == len(other)


def test_a_command_that_fails_says_what_it_wrote() -> None:
    """So that somebody can mend it."""
    with pytest.raises(PreparationError, match="no such package"):
        run(["sh", "-c", "echo no such package >&2; exit 3"])
