"""What is compared with what."""

from pathlib import Path

import pytest

from benchmarks.harness.errors import PreparationError, UsageError
from benchmarks.harness.git import Repository
from benchmarks.harness.sides import own_folder
from tests.benchmarks.conftest import Project


def on_a_branch(project: Project) -> str:
    """Leave main, and let main go on."""
    fork = project.git("rev-parse", "HEAD")
    project.git("checkout", "--quiet", "-b", "work")
    project.write("file", "two")
    project.commit()
    project.git("checkout", "--quiet", "main")
    project.write("other", "of somebody else")
    project.commit()
    project.git("checkout", "--quiet", "work")
    return fork


def test_a_branch_is_compared_with_where_it_left_main(project: Project) -> None:
    """Not with the tip of main, which has what others did."""
    fork = on_a_branch(project)
    assert Repository(project.folder).default_base({}) == fork
    assert Repository(project.folder).default_base({"CI": "true"}) == fork


def test_the_main_of_others_comes_before_the_local_one(project: Project) -> None:
    """The local one is often old."""
    fork = on_a_branch(project)
    project.git("update-ref", "refs/remotes/origin/main", "work~0")
    project.write("file", "three")
    project.commit()
    assert Repository(project.folder).default_base({}) == project.git("rev-parse", "HEAD~1") != fork


def test_a_merge_that_ci_made_is_compared_with_its_first_parent(project: Project) -> None:
    """That is main with everything that this would be merged into; only CI makes such merges."""
    fork = on_a_branch(project)
    tip = project.git("rev-parse", "main")
    project.git("checkout", "--quiet", "--detach", "main")
    project.git("merge", "--quiet", "--no-ff", "--message", "merge", "work")
    repository = Repository(project.folder)
    assert repository.default_base({"CI": "true"}) == tip
    project.git("update-ref", "refs/heads/main", fork)
    assert repository.default_base({}) == fork


def test_main_merged_into_the_branch_hides_nothing_of_it(project: Project) -> None:
    """Then it is compared with main as it was merged, in CI too."""
    on_a_branch(project)
    tip = project.git("rev-parse", "main")
    project.git("checkout", "--quiet", "work")
    project.git("merge", "--quiet", "--no-ff", "--message", "merge", "main")
    assert Repository(project.folder).default_base({"CI": "true"}) == tip


def test_work_on_main_is_compared_with_its_last_commit(project: Project) -> None:
    """Where there is none, there is nothing to compare."""
    repository = Repository(project.folder)
    with pytest.raises(UsageError, match="nothing has changed"):
        repository.default_base({})
    project.write("untracked", "new")
    assert repository.default_base({}) == project.git("rev-parse", "HEAD")


def test_without_a_main_a_base_has_to_be_named(project: Project) -> None:
    """Nothing is guessed."""
    project.git("branch", "--move", "main", "trunk")
    with pytest.raises(UsageError, match="name a base"):
        Repository(project.folder).default_base({})


@pytest.mark.parametrize("revision", ["nix", "", "--all", "HEAD:file", "HEAD~99"])
def test_an_unknown_revision_is_wrong_usage(project: Project, revision: str) -> None:
    """Said before anything is measured."""
    with pytest.raises(UsageError, match="no revision"):
        Repository(project.folder).commit(revision)


def test_a_folder_that_is_no_repository_is_wrong_usage(tmp_path: Path) -> None:
    """There is nothing to compare in it."""
    with pytest.raises(UsageError, match="not in a git repository"):
        Repository(tmp_path)


def test_a_snapshot_has_what_is_not_committed(project: Project, tmp_path: Path) -> None:
    """Changed, staged, deleted and new files, not ignored ones; and all stays as it was."""
    project.write("deleted", "x")
    project.commit()
    project.write("file", "changed")
    project.write("staged", "x")
    project.git("add", "staged")
    project.write("folder/new", "x")
    project.write("ignored", "x")
    (project.folder / "deleted").unlink()
    before = project.git("status", "--porcelain"), project.git("rev-parse", "HEAD")
    repository = Repository(project.folder)
    snapshot = repository.snapshot(tmp_path)
    assert (project.git("status", "--porcelain"), project.git("rev-parse", "HEAD")) == before
    listed = project.git("ls-tree", "-r", "--name-only", snapshot).splitlines()
    assert listed == [".gitignore", "file", "folder/new", "staged"]
    assert project.git("show", f"{snapshot}:file") == "changed"


def test_a_clean_working_tree_is_its_commit(project: Project, tmp_path: Path) -> None:
    """No snapshot is made."""
    head = project.git("rev-parse", "HEAD")
    assert Repository(project.folder).snapshot(tmp_path) == head


def test_a_worktree_has_the_files_of_the_commit_and_no_others(
    project: Project, tmp_path: Path
) -> None:
    """Also where another commit was checked out before, and somebody wrote into it."""
    first = project.git("rev-parse", "HEAD")
    project.write("second", "x")
    second = project.commit()
    repository, tree = Repository(project.folder), tmp_path / "tree"
    repository.check_out(second, tree)
    (tree / "stray").write_text("x")
    (tree / "ignored").write_text("x")
    (tree / "file").write_text("other")
    repository.check_out(first, tree)
    assert sorted(path.name for path in tree.iterdir()) == [".git", ".gitignore", "file"]
    assert (tree / "file").read_text() == "one"


def test_a_worktree_that_was_deleted_or_broken_is_made_again(
    project: Project, tmp_path: Path
) -> None:
    """Git still knows of it then."""
    head = project.git("rev-parse", "HEAD")
    repository, tree = Repository(project.folder), tmp_path / "tree"
    repository.check_out(head, tree)
    (tree / ".git").write_text("gitdir: /nowhere")
    repository.check_out(head, tree)
    assert (tree / "file").read_text() == "one"
    with pytest.raises(PreparationError, match="git"):
        repository.check_out("0" * 40, tree)


def test_a_folder_is_of_one_comparison_at_a_time(project: Project) -> None:
    """Two would change each other's trees; and git does not see it."""
    repository = Repository(project.folder)
    with own_folder(repository) as folder:
        assert folder.parent == project.folder
        assert not repository.is_dirty()
        with pytest.raises(UsageError, match="another comparison"), own_folder(repository):
            pass
    with own_folder(repository):
        pass
