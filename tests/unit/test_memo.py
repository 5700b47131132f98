"""Remembering by identity."""

import gc

from edge.memo import Memo


class Thing:
    """Something that is equal to all others of its kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    def __hash__(self) -> int:
        return 0


def test_what_was_made_of_another_object_is_not_taken() -> None:
    """Not even of one that is equal."""
    memo: Memo[Thing, str] = Memo(2)
    one, other = Thing(), Thing()
    memo.put(one, "one")
    assert memo.get(one) == "one"
    assert memo.get(other) is None


def test_no_object_takes_the_place_of_one_that_is_remembered() -> None:
    """It stays alive, so that no new one can have its identity."""
    memo: Memo[Thing, int] = Memo(1000)
    for number in range(1000):
        memo.put(Thing(), number)
    gc.collect()
    assert all(memo.get(Thing()) is None for _ in range(10_000))


def test_the_oldest_goes_first() -> None:
    """So many are kept, and no more."""
    memo: Memo[Thing, int] = Memo(2)
    things = [Thing() for _ in range(3)]
    for number, thing in enumerate(things):
        memo.put(thing, number)
    assert [memo.get(thing) for thing in things] == [None, 1, 2]
    assert len(memo) == 2
