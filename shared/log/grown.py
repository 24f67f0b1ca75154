"""Mappings that grow by one entry per event: each is a value, and none is copied.

Copying for each of a case's sixty thousand calls took a minute.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from typing_extensions import override

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Grown(Mapping[KeyT, ValueT]):
    """The first steps of a dictionary that only grows, and is shared with those grown from it.

    Growing one that has already grown makes a copy.
    """

    __slots__ = ("_count", "_entries", "_right", "_steps")

    def __init__(self, entries: Mapping[KeyT, ValueT] | None = None) -> None:
        self._entries: dict[KeyT, tuple[Any, ...]] = {
            key: (step, value) for step, (key, value) in enumerate((entries or {}).items())
        }
        """Of each key the step that brought it and its value; if it changed, the next such pair."""
        self._count = self._steps = len(self._entries)
        self._right = [True]
        """Permission to add to what is shared: only one taker, in whatever thread, gets it."""

    def with_entry(self, key: KeyT, value: ValueT) -> "Grown[KeyT, ValueT]":
        """This plus one entry, or with another value of an entry."""
        if not self._count:
            return Grown({key: value})  # Every case begins with the same empty one.
        is_there = key in self._entries and key in self
        if is_there and self[key] == value:
            return self
        try:
            self._right.pop()
        except IndexError:
            return Grown({**self, key: value})
        before = self._entries[key] if is_there else ()
        self._entries[key] = (*before, self._steps, value)
        return self._longer(self._count if is_there else self._count + 1)

    def _longer(self, count: int) -> "Grown[KeyT, ValueT]":
        longer: Grown[KeyT, ValueT] = object.__new__(Grown)
        longer._entries, longer._steps = self._entries, self._steps + 1
        longer._count, longer._right = count, [True]
        return longer

    @override
    def __getitem__(self, key: KeyT) -> ValueT:
        pairs = self._entries[key]
        for place in range(len(pairs) - 2, -1, -2):
            if pairs[place] < self._steps:
                found: ValueT = pairs[place + 1]
                return found
        raise KeyError(key)

    @override
    def __iter__(self) -> Iterator[KeyT]:
        # A list, made in one go: another thread may add to what is shared at any time.
        return iter(list(self._entries)[: self._count])

    @override
    def __len__(self) -> int:
        return self._count

    @override
    def __repr__(self) -> str:
        return f"Grown({dict(self)!r})"
