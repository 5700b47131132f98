"""Sending files to clients that are quick, slow or gone, from a real file system."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.http.files.answer import CHUNK_BYTES, send_part
from edge.http.files.folder import _THREADS as THREADS
from edge.http.files.folder import OpenFile, ServedFolder
from tests.support.paths import make_tree
from tests.support.served_folder import Client, opened, serving

NAME = ("plain.txt",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tree(tmp_path)


@pytest.fixture
def served(root: Path) -> Iterator[ServedFolder]:
    with serving(root) as folder:
        yield folder


async def sent(
    file: OpenFile, client: Client, *, part: range | None = None, stall_timeout_s: float = 10
) -> Client:
    whole = part or range(file.size)
    with closing(file):
        await send_part(file, whole, client.receive, client.send, stall_timeout_s=stall_timeout_s)
    return client


async def large_file(root: Path, served: ServedFolder, chunks: float = 3) -> OpenFile:
    (root / "large").write_bytes(os.urandom(int(chunks * CHUNK_BYTES)))
    return await opened(served, "large")


@pytest.mark.parametrize("chunks", [0, 0.5, 1, 1.5, 3])
async def test_a_file_arrives_as_it_is(root: Path, served: ServedFolder, chunks: float) -> None:
    """In pieces of a bounded size, the last of which says so."""
    client = Client()
    file = await large_file(root, served, chunks)
    await sent(file, client)

    assert client.body == (root / "large").read_bytes()
    assert client.is_complete
    assert max(len(message["body"]) for message in client.messages) <= CHUNK_BYTES


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (5, CHUNK_BYTES), (CHUNK_BYTES - 1, CHUNK_BYTES + 2)]
)
async def test_a_part_arrives_as_it_is(
    root: Path, served: ServedFolder, start: int, length: int
) -> None:
    """These bytes and no others."""
    client = Client()
    file = await large_file(root, served)
    await sent(file, client, part=range(start, start + length))

    assert client.body == (root / "large").read_bytes()[start : start + length]


async def test_a_file_that_grows_is_sent_as_long_as_promised(
    root: Path, served: ServedFolder
) -> None:
    """More bytes than Content-Length says would be taken for the next answer."""
    client = Client()
    file = await large_file(root, served)
    with (root / "large").open("ab") as more:
        more.write(b"more" * CHUNK_BYTES)
    await sent(file, client)

    assert (client.is_complete, len(client.body)) == (True, file.size)


async def test_a_file_that_shrinks_leaves_the_answer_without_an_end(
    root: Path, served: ServedFolder
) -> None:
    """So that the server cuts the connection, and the client knows that something is missing."""
    client = Client(stops_after=1)
    file = await large_file(root, served)
    sending = asyncio.create_task(sent(file, client))
    await client.has_some.wait()
    os.truncate(root / "large", CHUNK_BYTES + 10)
    client.may_go_on.set()
    with pytest.raises(EOFError):
        await sending

    assert len(client.body) == CHUNK_BYTES + 10
    assert not client.is_complete


async def test_nothing_is_read_for_a_client_that_left(root: Path, served: ServedFolder) -> None:
    """Servers say so, and let what is sent vanish without a word."""
    client = Client(leaves_after=2)
    file = await large_file(root, served, 50)
    await sent(file, client)

    assert len(client.messages) <= 3
    assert not client.is_complete


async def test_a_client_that_takes_nothing_is_given_up(root: Path, served: ServedFolder) -> None:
    """The answer has no end then."""
    client = Client(stops_after=2)
    file = await large_file(root, served)
    await sent(file, client, stall_timeout_s=0.01)

    assert not client.is_complete


async def test_slow_clients_hold_no_threads(root: Path, served: ServedFolder) -> None:
    """More of them than there are threads, and the next one is served."""
    slow = [Client(stops_after=1) for _ in range(2 * THREADS)]
    files = [await large_file(root, served), *[await opened(served, "large") for _ in slow[1:]]]
    sending = [asyncio.create_task(sent(*pair)) for pair in zip(files, slow, strict=True)]
    await asyncio.gather(*(client.has_some.wait() for client in slow))
    quick = Client()
    await sent(await opened(served, *NAME), quick)
    assert quick.is_complete
    for client in slow:
        client.may_go_on.set()

    assert all(client.is_complete for client in await asyncio.gather(*sending))


async def test_a_request_that_is_cancelled_closes_its_file(
    root: Path, served: ServedFolder
) -> None:
    """Wherever it was; the fixture counts what is left open."""
    for stops_after in (1, 2):
        client = Client(stops_after=stops_after)
        file = await large_file(root, served)
        sending = asyncio.create_task(sent(file, client))
        await client.has_some.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
