"""The order in which a service works on deliveries: fair by stream and by source (ADR 27).

Streams take turns, and so do the sources in a stream. Work that must be in turn runs one piece of
a source at a time, in order. Work that needs a long case not in memory waits among the long pieces
of its stream: these run one at a time, and all other work passes them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

from shared.log.transact import Outcome

FIRST_OF = 4
"""One turn in this many of a stream is for work without priority."""
LONG_WAITING_MAX = 1_000
"""Per stream: work waiting for a long case stays in hand, which is limited."""
LONG_BYTES_MAX = 4_194_304
"""The same in bytes, a quarter of what may be in hand: otherwise forty large messages would keep
everything after them in the stream. A message of less than 4 KiB may always wait."""


@dataclass(frozen=True, slots=True)
class Work:
    source: str
    """Who sent it, or which case it is about; never shown or logged."""
    handle: Callable[[], Outcome]
    is_first: bool = False
    in_turn: bool = True
    """Whether it waits for its source's earlier messages."""
    is_long: bool = False
    size: int = 0

    @classmethod
    def that_fails(cls, error: Exception) -> Self:
        """Work of unknown source: doing it raises the error that explains why."""

        def handle() -> Outcome:
            raise error

        return cls("", handle, in_turn=False)


ItemT = TypeVar("ItemT")


@dataclass
class _Lane(Generic[ItemT]):
    items: deque[tuple[Work, ItemT]] = field(default_factory=deque)
    is_busy: bool = False
    """Its last piece was in turn and isn't done."""


class _Class(Generic[ItemT]):
    """Lanes served in rotation."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane[ItemT]] = {}
        self._ready: deque[str] = deque()
        """Every source that has something and isn't busy, once."""

    def put(self, work: Work, item: ItemT, *, in_front: bool = False) -> None:
        lane = self._lanes.setdefault(work.source, _Lane())
        if not lane.items and not lane.is_busy:
            self._ready.append(work.source)
        if in_front:
            lane.items.appendleft((work, item))
        else:
            lane.items.append((work, item))

    def take(self) -> tuple[Work, ItemT] | None:
        if not self._ready:
            return None
        source = self._ready.popleft()
        lane = self._lanes[source]
        work, item = lane.items.popleft()
        lane.is_busy = work.in_turn
        self._settle(source, lane)
        return work, item

    def has(self, source: str) -> bool:
        return source in self._lanes

    def waiting_behind(self, work: Work) -> deque[tuple[Work, ItemT]]:
        waiting: deque[tuple[Work, ItemT]] = deque()
        lane = self._lanes.get(work.source)
        if lane is not None and work.in_turn:
            waiting, lane.items = lane.items, waiting
        return waiting

    def done(self, work: Work) -> None:
        lane = self._lanes.get(work.source)
        if lane is not None and lane.is_busy and work.in_turn:
            lane.is_busy = False
            self._settle(work.source, lane)

    def _settle(self, source: str, lane: _Lane[ItemT]) -> None:
        if lane.is_busy:
            return
        if lane.items:
            self._ready.append(source)
        else:
            del self._lanes[source]


class _Line(Generic[ItemT]):
    """One stream: priority lanes, the others, and work that needs a long case."""

    def __init__(self, share: int) -> None:
        self.share = share
        self.first: _Class[ItemT] = _Class()
        self.others: _Class[ItemT] = _Class()
        self.long: _Class[ItemT] = _Class()
        self.long_waiting = 0
        self.long_bytes = 0
        self.do_long_rest = False
        self.at_work = 0
        self._turn = 0

    def put(self, work: Work, item: ItemT, *, in_front: bool = False) -> None:
        self._count_long(work, 1)
        self._class_of(work).put(work, item, in_front=in_front)

    def take(self) -> tuple[Work, ItemT] | None:
        taken = self._take()
        if taken is not None:
            self.at_work += 1
        return taken

    def done(self, work: Work, *, is_long: bool = False) -> None:
        """`is_long`: assume that what waits behind it needs the long case too."""
        self.at_work -= 1
        one = self._class_of(work)
        behind = one.waiting_behind(work) if work.is_long or is_long else ()
        one.done(work)
        for waiting, item in behind:
            self._count_long(waiting, -1)
            self.put(replace(waiting, is_long=is_long and self.has_bytes_for(waiting)), item)

    def has_bytes_for(self, work: Work) -> bool:
        is_small = work.size * LONG_WAITING_MAX <= LONG_BYTES_MAX
        return is_small or self.long_bytes + work.size <= LONG_BYTES_MAX

    def _count_long(self, work: Work, by: int) -> None:
        if work.is_long:
            self.long_waiting += by
            self.long_bytes += by * work.size

    def _take(self) -> tuple[Work, ItemT] | None:
        taken = None if self.do_long_rest else self.long.take()
        if taken is not None:
            self.do_long_rest = True
            self._count_long(taken[0], -1)
            return taken
        self._turn = (self._turn + 1) % FIRST_OF
        classes = (self.first, self.others) if self._turn else (self.others, self.first)
        for one in classes:
            taken = one.take()
            if taken is not None:
                return taken
        return None

    def _class_of(self, work: Work) -> _Class[ItemT]:
        if work.is_long:
            return self.long
        return self.first if work.is_first else self.others


class Lanes(Generic[ItemT]):
    """Waiting work. `share`: the most pieces of one stream under way."""

    def __init__(self, share: int) -> None:
        self._share = share
        self._lines: dict[str, _Line[ItemT]] = {}
        self._streams: deque[str] = deque()

    def put(self, stream: str, work: Work, item: ItemT) -> None:
        """Adds a piece behind its source's others."""
        line = self._line(stream)
        # It passes nothing of its own source, unless what may wait would overflow.
        is_behind = work.in_turn and line.long.has(work.source)
        is_long = is_behind and line.has_bytes_for(work)
        line.put(replace(work, is_long=is_long), item)

    def put_back(self, stream: str, work: Work, item: ItemT) -> None:
        """Returns a piece that was taken: it is its source's next."""
        line = self._line(stream)
        line.put(work, item, in_front=True)
        line.done(work)

    def put_among_long(self, stream: str, work: Work, item: ItemT, case_id: str) -> bool:
        """Returns a piece that needs a long case; False if too many are waiting for one already.

        Pieces that need the same case wait for one another: the first loads it into memory.
        """
        line = self._line(stream)
        has_room = line.long_waiting < LONG_WAITING_MAX and line.has_bytes_for(work)
        if has_room:
            source = work.source if work.in_turn else case_id
            line.put(replace(work, source=source, in_turn=True, is_long=True), item)
        line.done(work, is_long=has_room)
        return has_room

    def long_have_rested(self, stream: str) -> None:
        self._line(stream).do_long_rest = False

    def take(self) -> tuple[str, Work, ItemT] | None:
        """The next piece; None if nothing may be worked on now. `done` ends it."""
        for _ in range(len(self._streams)):
            stream = self._streams[0]
            self._streams.rotate(-1)
            line = self._lines[stream]
            taken = line.take() if line.at_work < line.share else None
            if taken is not None:
                return stream, *taken
        return None

    def done(self, stream: str, work: Work) -> None:
        self._lines[stream].done(work)

    def limit(self, stream: str, share: int) -> None:
        self._line(stream).share = share

    def _line(self, stream: str) -> _Line[ItemT]:
        if stream not in self._lines:
            self._lines[stream] = _Line(self._share)
            self._streams.append(stream)
        return self._lines[stream]
