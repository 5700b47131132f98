"""The development key: made once, kept, private."""

import base64
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.settings.key_file import read_or_create
from tests.support.secrets import remember


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_file_is_its_owners_alone(tmp_path: Path, mask: int) -> None:
    """The file has mode 0600 and the folder made for it 0700, whatever the umask."""
    path = tmp_path / "data" / "secret-key"
    with umask(mask):
        read_or_create(path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


def test_the_key_is_kept(tmp_path: Path) -> None:
    """A second start reads the key of the first, 32 random bytes, and changes nothing."""
    path = tmp_path / "secret-key"
    key = read_or_create(path)
    content = path.read_bytes()
    remember(content.decode().strip())
    assert len(key) == 32
    assert base64.b64decode(content) == key
    assert read_or_create(path) == key
    assert path.read_bytes() == content


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    """Every data folder gets a key of its own."""
    assert read_or_create(tmp_path / "one") != read_or_create(tmp_path / "two")


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    """The draft that the key was written to is gone."""
    read_or_create(tmp_path / "secret-key")
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_key_of_ones_own_is_taken(tmp_path: Path) -> None:
    """A file that is there already is used, in any spelling of a key, and left as it is."""
    path = tmp_path / "secret-key"
    key = os.urandom(32)
    path.write_text(f"  {key.hex()}\n")
    remember(key.hex())
    assert read_or_create(path) == key


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"too short",
        b"change-me",
        base64.b64encode(b"x" * 32),
        base64.b64encode(bytes(range(32))),
        base64.b64encode(b"\xf3\x91" * 8),
        b"\xff" * 44,
        "\u00e9".encode() * 44,
    ],
)
def test_unusable_content_is_an_error(tmp_path: Path, content: bytes) -> None:
    """A file without a good key stops the start; it is not replaced, and its content not shown."""
    path = tmp_path / "secret-key"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r".") as error:
        read_or_create(path)
    assert path.read_bytes() == content
    if len(content) > 8:
        assert content.decode("latin-1") not in str(error.value)


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    """What cannot be read is an OSError, which the start explains."""
    (tmp_path / "secret-key").mkdir()
    with pytest.raises(OSError, match="secret-key"):
        read_or_create(tmp_path / "secret-key")


def test_a_draft_that_was_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    """A start that died between writing and linking leaves a draft; the next start gets a key."""
    path = tmp_path / "secret-key"
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text("half a k")
    draft.chmod(0o600)
    key = read_or_create(path)
    assert read_or_create(path) == key
    assert mode(path) == 0o600


def test_threads_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    """Eight threads at once, a hundred times over: one key for all of them, each time."""
    crowd = 8

    def create(barrier: threading.Barrier, path: Path) -> bytes:
        barrier.wait()
        return read_or_create(path)

    with ThreadPoolExecutor(crowd) as threads:
        for number in range(100):
            path, barrier = tmp_path / str(number), threading.Barrier(crowd)
            futures = [threads.submit(create, barrier, path) for _ in range(crowd)]
            assert {future.result() for future in futures} == {read_or_create(path)}


def _create_in_step(
    barrier: Callable[[], int], paths: list[Path], answer: Callable[..., None]
) -> None:
    keys = []
    for path in paths:
        barrier()
        keys.append(read_or_create(path))
    answer(keys)


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    """Four processes at once, fifty times over: one key for all of them, each time."""
    crowd, paths = 4, [tmp_path / str(number) for number in range(50)]
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(crowd), context.SimpleQueue()
    processes = [
        context.Process(target=_create_in_step, args=(barrier.wait, paths, answers.put))
        for _ in range(crowd)
    ]
    for process in processes:
        process.start()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    assert found == [[read_or_create(path) for path in paths]] * crowd
