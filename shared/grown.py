"""Mappings that grow by an entry an event: each stands for itself, and none is copied.

A case may have tens of thousands of calls. A copy for each is the square of their number: to fold
sixty thousand took a minute, in which the whole process does little else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeVar

from typing_extensions import override

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Grown(Mapping[KeyT, ValueT]):
    """The first entries of a dictionary that only ever grows, and is shared by what grew from it.

    Whoever grows one that has grown already, or changes an entry, has a copy.
    """

    __slots__ = ("_count", "_entries", "_right")

    def __init__(self, entries: Mapping[KeyT, ValueT] | None = None) -> None:
        self._entries: dict[KeyT, tuple[int, ValueT]] = {
            key: (place, value) for place, (key, value) in enumerate((entries or {}).items())
        }
        self._count = len(self._entries)
        self._right = [True]
        """To add to what is shared: whoever takes it, in whatever thread, is the only one."""

    def with_entry(self, key: KeyT, value: ValueT) -> Grown[KeyT, ValueT]:
        """This and one entry more, or another value of an entry."""
        if not self:
            return Grown({key: value})  # Every case begins with the same empty one.
        if key in self:
            return self if self[key] == value else Grown({**self, key: value})
        try:
            self._right.pop()
        except IndexError:
            return Grown({**self, key: value})
        self._entries[key] = (self._count, value)
        longer: Grown[KeyT, ValueT] = Grown()
        longer._entries, longer._count = self._entries, self._count + 1
        return longer

    @override
    def __getitem__(self, key: KeyT) -> ValueT:
        place, value = self._entries[key]
        if place >= self._count:
            raise KeyError(key)
        return value

    @override
    def __iter__(self) -> Iterator[KeyT]:
        # A list: what is shared may grow meanwhile.
        return iter(list(islice(self._entries, self._count)))

    @override
    def __len__(self) -> int:
        return self._count

    @override
    def __repr__(self) -> str:
        return f"Grown({dict(self)!r})"
