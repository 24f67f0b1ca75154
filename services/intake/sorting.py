"""Opens what channels published and groups it by source, so nobody waits behind another's flood.

A caller's calls are one source, taken in turn: they belong to one case. So are the calls with one
live return code, which go first. Withheld numbers share a source, and each is a case of its own.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import NamedTuple, TypeVar

from typing_extensions import override

from services.intake import sending
from services.intake.calls import ReadCall, opened, read_call, read_message
from services.intake.parsing import Hashed, Opener, hashed
from services.intake.reactions import Listening
from services.intake.receiving import receive_call, receive_end
from services.intake.reports import read_report
from shared.bus.lanes import Work
from shared.events.parsing import UnreadableEventError
from shared.keys.boxes import BoxBrokenError
from shared.keys.client import KeysUnavailableError
from shared.log.case_log import LogError
from shared.log.transact import Outcome
from shared.parked.parking import Delivery, UnprocessableError

WITHHELD, ENDS = "withheld", "ends"

LIGHT_MAX_BYTES, LIGHT_MAX_PARTS = 8_192, 64
"""Anything longer, or with more parts, isn't kept open while it waits: 380 kB of `{},` take 10 MB,
and thousands of messages are in hand."""
HEAVY_AT_ONCE = 2
"""Per channel: otherwise one channel's long calls could occupy every thread."""
BOXES_AT_ONCE, CHARACTERS_AT_ONCE = 256, 300_000
"""Per request; keeps request and answer within the limits of the key holder and the server."""
_BOX = re.compile(rb"box1\.[A-Za-z0-9_-]{64,}")
_heavy: dict[str, threading.BoundedSemaphore] = {}


class _Sorted(NamedTuple):
    work: Work
    code_hashes: tuple[str, ...] = ()


T = TypeVar("T")


def sort_upstream(listening: Listening, deliveries: Sequence[Delivery]) -> list[Work]:
    """A channel's messages as work, in order, as many as can be opened now.

    Raises KeysUnavailableError and LogError if none can; a fault of a single message is raised by
    its work.
    """
    keys, some = listening.intake.context.keys, _alike(deliveries)
    read: list[ReadCall | _Sorted] = []
    opener = OpenedAtOnce(keys, [one.body for one in some])
    try:
        for delivery in some:
            read.append(_told(partial(_read, listening, opener, delivery)))
    except (KeysUnavailableError, LogError):
        if not read:
            raise
    hashes = iter(hashed(keys, [one.wanted for one in read if isinstance(one, ReadCall)]))
    found = list(_with_hashes(listening, read, hashes))
    live = listening.intake.index.live_codes({code for one in found for code in one.code_hashes})
    return [_in_front(one, live) for one in found]


def _alike(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    """The light messages before the first heavy one, or that one alone: a heavy message is hashed
    on its own, and would be hashed again if nothing were left for the light ones before it."""
    return list(takewhile(lambda one: _is_light(one.body), deliveries)) or deliveries[:1]


def _with_hashes(
    listening: Listening, read: Sequence[ReadCall | _Sorted], hashes: Iterator[Hashed]
) -> Iterator[_Sorted]:
    """Stops at the first call whose hashes are missing."""
    for one in read:
        if isinstance(one, _Sorted):
            yield one
        elif (made := next(hashes, None)) is not None:
            yield _told(partial(_call_of, listening, one, made))
        else:
            return


def _told(tell: Callable[[], T]) -> T | _Sorted:
    """The result, or work that raises why there is none."""
    try:
        return tell()
    except (KeysUnavailableError, LogError):
        raise
    except (UnprocessableError, UnreadableEventError, BoxBrokenError) as error:
        # The traceback would keep what was read alive for as long as it waits, and longer.
        return _Sorted(Work.that_fails(error.with_traceback(None)))
    except Exception as error:
        return _Sorted(Work.that_fails(error))


def _read(listening: Listening, opener: Opener, delivery: Delivery) -> ReadCall | _Sorted:
    if _is_light(delivery.body):
        return _open(listening, opener, delivery)
    return _opened_later(listening, _sorted_alone(listening, opener, delivery), delivery)


def _is_light(body: bytes) -> bool:
    parts = sum(map(body.count, (b",", b"{", b"[")))
    return len(body) <= LIGHT_MAX_BYTES and parts <= LIGHT_MAX_PARTS


def _sorted_alone(listening: Listening, opener: Opener, delivery: Delivery) -> _Sorted:
    read = _open(listening, opener, delivery)
    if isinstance(read, _Sorted):
        return read
    (hashes,) = hashed(opener, [read.wanted])
    return _call_of(listening, read, hashes)


def _opened_later(listening: Listening, one: _Sorted, delivery: Delivery) -> _Sorted:
    """The same work, opening its message again when its turn comes."""

    turns = _heavy.setdefault(delivery.subject, threading.BoundedSemaphore(HEAVY_AT_ONCE))

    def handle() -> Outcome:
        with turns:
            return _sorted_alone(listening, listening.intake.context.keys, delivery).work.handle()

    return one._replace(work=replace(one.work, handle=handle))


def _open(listening: Listening, opener: Opener, delivery: Delivery) -> ReadCall | _Sorted:
    intake, early_ends = listening.intake, listening.early_ends
    message = read_message(delivery, intake.context.now())
    match message.upstream.kind:
        case "call":
            return read_call(opener, message)
        case "end":
            handle = partial(receive_end, intake, early_ends, message)
            return _Sorted(Work(ENDS, handle, in_turn=False))
        case "report":
            handle = partial(sending.receive_report, listening.sending, message)
            return _Sorted(Work(read_report(message).case_id, handle))


def _call_of(listening: Listening, read: ReadCall, hashes: Hashed) -> _Sorted:
    call = opened(read, hashes)
    source = call.incoming.source
    work = Work(
        source or WITHHELD,
        partial(receive_call, listening.intake, listening.early_ends, call),
        in_turn=source is not None,
    )
    return _Sorted(work, call.incoming.code_hashes)


def _in_front(one: _Sorted, live: frozenset[str]) -> Work:
    code = next((code for code in one.code_hashes if code in live), None)
    if code is None:
        return one.work
    return replace(one.work, source=code, is_first=True, in_turn=True)


class OpenedAtOnce(Opener):
    """A key holder that opened many messages' boxes at once, which is faster than one by one.

    Other boxes still go to the key holder.
    """

    def __init__(self, keys: Opener, bodies: Sequence[bytes]) -> None:
        self._keys = keys
        self._contents = _contents(keys, _boxes_in(bodies))

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        if all(one in self._contents for one in boxes):
            return [self._contents[one] for one in boxes]
        return self._keys.unbox(boxes)

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        return self._keys.hashes(values)


def _boxes_in(bodies: Sequence[bytes]) -> list[str]:
    found: list[str] = []
    left = CHARACTERS_AT_ONCE
    for body in bodies:
        for box in _BOX.findall(body):
            left -= len(box)
            if left < 0 or len(found) == BOXES_AT_ONCE:
                return found
            found.append(box.decode())
    return found


def _contents(keys: Opener, boxes: Sequence[str]) -> dict[str, bytes]:
    try:
        return dict(zip(boxes, keys.unbox(boxes), strict=True)) if boxes else {}
    except BoxBrokenError:
        return {}  # One doesn't open: each message is opened separately.
