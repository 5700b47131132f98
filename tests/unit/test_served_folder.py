"""Opening files beneath a folder, on a real file system."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.faults import UnavailableError
from edge.http.files.folder import ServedFolder
from edge.reasons import Reason
from tests.support.fakes import NOW_S
from tests.support.paths import OUTSIDE, SERVED, make_tree
from tests.support.served_folder import Gate, opened, serving

NAME = ("plain.txt",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tree(tmp_path)


@pytest.fixture
def served(root: Path) -> Iterator[ServedFolder]:
    with serving(root) as folder:
        yield folder


@pytest.mark.parametrize("name", SERVED)
async def test_a_regular_file_is_opened(served: ServedFolder, name: str) -> None:
    """With its size, its time and its bytes."""
    file = await opened(served, *name.split("/"))
    content = await file.read(0, file.size + 1)
    file.close()

    assert (content, file.size) == (SERVED[name], len(SERVED[name]))
    assert file.opened_s == NOW_S


@pytest.mark.parametrize(
    "path",
    [
        "missing.txt",
        "missing/plain.txt",
        "plain.txt/deeper",
        "sub",
        "empty-folder",
        "link.txt",
        "link-inside.txt",
        "link-to-folder",
        "link-to-folder/outside.txt",
        "link-to-itself",
        "link-to-device",
        "pipe",
        "socket",
        "a" * 300,
        "a/" * 2000 + "a",
    ],
)
async def test_what_is_no_regular_file_is_not_there(served: ServedFolder, path: str) -> None:
    """Folders, links wherever they lead, pipes, sockets and what is missing: nothing."""
    assert await served.open(path.split("/")) is None


async def test_a_device_is_not_there(root: Path, served: ServedFolder) -> None:
    """A device in the folder is no file, though it can be opened."""
    try:
        os.mknod(root / "zero.txt", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("making a device needs root")
    assert await served.open(["zero.txt"]) is None


async def test_a_file_one_may_not_read_is_not_there(
    served: ServedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it exists is not told."""
    # root, who may run the tests, may read everything
    refuse_to_open(monkeypatch, errno.EACCES)
    assert await served.open(NAME) is None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.ESTALE])
async def test_a_disk_that_fails_is_our_trouble(
    served: ServedFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """That no file can be opened now says nothing of this one: 503, not 404."""
    refuse_to_open(monkeypatch, number)
    with pytest.raises(UnavailableError) as error:
        await served.open(NAME)
    assert error.value.reason is Reason.FILES_UNAVAILABLE


async def test_the_folder_is_the_one_of_the_start(root: Path, served: ServedFolder) -> None:
    """What takes its name later is another folder."""
    replace_by_link(root, root.parent / "served-too")

    (await opened(served, *NAME)).close()
    assert await served.open(["outside.txt"]) is None


async def test_a_folder_exchanged_for_a_link_never_leads_out(
    root: Path, served: ServedFolder
) -> None:
    """However often a name changes between check and use, there is no check to fool."""
    (root.parent / "served-too" / "deep.txt").write_bytes(OUTSIDE)
    with exchanging(root / "sub", root.parent / "served-too"):
        found = [await content_of(served, "sub", "deep.txt") for _ in range(2000)]

    assert OUTSIDE not in found
    assert {SERVED["sub/deep.txt"], None} == set(found)


async def test_the_event_loop_goes_on_while_a_disk_is_slow(root: Path) -> None:
    """Opening is done on other threads."""
    gate = Gate()
    with serving(root, gate) as folder:
        task = asyncio.create_task(folder.open(NAME))
        await gate.wait_for_visitor()
        assert not task.done()
        gate.open()
        file = await task
        assert file is not None
        file.close()


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_args: object, **_kwargs: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)


def replace_by_link(folder: Path, target: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(target)


@contextmanager
def exchanging(folder: Path, target: Path) -> Iterator[None]:
    """Make a folder a link to another one and back, as fast as it goes."""
    away, is_over = folder.with_name("away"), threading.Event()

    def exchange() -> None:
        while not is_over.is_set():
            folder.rename(away)
            folder.symlink_to(target)
            folder.unlink()
            away.rename(folder)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


async def content_of(served: ServedFolder, *names: str) -> bytes | None:
    file = await served.open(names)
    if file is None:
        return None
    try:
        return await file.read(0, 1000)
    finally:
        file.close()
