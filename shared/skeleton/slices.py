"""A state's fold and those of its slices; an event reaches only the folds that read it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from shared.events.base import CaseEvent, Event
from shared.events.catalogue import CASE_EVENTS

StateT = TypeVar("StateT")
PartFold = Callable[[Any, CaseEvent[Any], Any], Any]
"""(the state or a slice of it, an event, its data) -> the same after the event."""


class Slices(Generic[StateT]):
    """`own` folds the fields that have no fold by their name in `slices`.

    A fold reads the events that its signature names: their union, or their base class, is the
    type of `data`.
    """

    def __init__(self, own: PartFold, **slices: PartFold) -> None:
        self._own, self._read_by_own = own, events_read_by(own)
        self._readers: dict[type[Event], list[tuple[str, PartFold]]] = defaultdict(list)
        for name, fold in slices.items():
            for one in events_read_by(fold):
                self._readers[one].append((name, fold))

    def after(self, state: StateT, event: CaseEvent[Any]) -> StateT:
        data = event.data
        after = self._own(state, event, data) if type(data) in self._read_by_own else state
        changed = {
            name: new
            for name, fold in self._readers.get(type(data), ())
            if (new := fold(old := getattr(state, name), event, data)) is not old
        }
        return replace(after, **changed) if changed else after  # type: ignore[type-var]


def events_read_by(fold: PartFold) -> frozenset[type[Event]]:
    _before, _event, data, _after = get_type_hints(fold).values()
    return frozenset(one for one in CASE_EVENTS.values() if issubclass(one, get_args(data) or data))
