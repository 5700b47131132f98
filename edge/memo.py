"""Remembering what was made of an object, for as long as it is that very object."""

from collections import OrderedDict
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memo(Generic[_Key, _Value]):
    """Keeps at most `most` values, the newest ones.

    Comparing is by identity, which costs less than a hash of what is in the object. An object stays
    alive while it is remembered, so no other one can take its place.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[int, tuple[_Key, _Value]] = OrderedDict()

    def get(self, key: _Key) -> _Value | None:
        found = self._values.get(id(key))
        return None if found is None else found[1]

    def put(self, key: _Key, value: _Value) -> None:
        self._values[id(key)] = (key, value)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)
