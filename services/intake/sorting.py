"""Opens what channels published, and says whose it is: so that nobody waits behind another's flood.

A caller's calls are one source, and taken in turn: they are of one case. So are the calls with one
live return code, which go first. Withheld numbers share a source, and each is a case of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from services.intake import sending
from services.intake.boxes import OpenedAtOnce
from services.intake.calls import open_call, read_message, read_report
from services.intake.ends import receive_call, receive_end
from services.intake.listening import Listening
from services.intake.reading import ChannelMessage, Opener
from shared.boxes import BoxBrokenError
from shared.case_log import LogError
from shared.events.reading import UnreadableEventError
from shared.keyholder import KeysUnavailableError
from shared.lanes import Work
from shared.parking import Delivery, UnprocessableError
from shared.transact import Outcome

WITHHELD, ENDS = "withheld", "ends"

LIGHT_MAX_BYTES, LIGHT_MAX_PARTS = 8_192, 64
"""What is longer, or has more parts, is not kept open while it waits: of 380 kB `{},` it is
10 MB, and thousands of messages are in hand."""
HEAVY_AT_ONCE = 2
_heavy = threading.BoundedSemaphore(HEAVY_AT_ONCE)


class _Sorted(NamedTuple):
    work: Work
    code_hashes: tuple[str, ...] = ()


def sort_upstream(listening: Listening, deliveries: Sequence[Delivery]) -> list[Work]:
    """Says what work a channel's messages are, in their order, as many as can be opened now.

    Raises KeysUnavailableError and LogError where none can; what is wrong with one message its own
    work raises.
    """
    found: list[_Sorted] = []
    opener = OpenedAtOnce(listening.intake.desk.keys, [one.body for one in deliveries])
    try:
        for delivery in deliveries:
            one = _sort(listening, opener, delivery)
            found.append(
                one if _is_light(delivery.body) else _opened_later(listening, one, delivery)
            )
    except (KeysUnavailableError, LogError):
        if not found:
            raise
    live = listening.intake.index.live_codes({code for one in found for code in one.code_hashes})
    return [_in_front(one, live) for one in found]


def _is_light(body: bytes) -> bool:
    parts = sum(map(body.count, (b",", b"{", b"[")))
    return len(body) <= LIGHT_MAX_BYTES and parts <= LIGHT_MAX_PARTS


def _opened_later(listening: Listening, one: _Sorted, delivery: Delivery) -> _Sorted:
    """The same work, which opens its message once more when its turn has come."""

    def handle() -> Outcome:
        with _heavy:
            return _sort(listening, listening.intake.desk.keys, delivery).work.handle()

    return one._replace(work=replace(one.work, handle=handle))


def _sort(listening: Listening, opener: Opener, delivery: Delivery) -> _Sorted:
    intake, early_ends = listening.intake, listening.early_ends
    try:
        message = read_message(delivery, intake.desk.now())
        match message.upstream.kind:
            case "call":
                return _sort_call(listening, opener, message)
            case "end":
                handle = partial(receive_end, intake, early_ends, message)
                return _Sorted(Work(ENDS, handle, in_turn=False))
            case "report":
                handle = partial(sending.receive_report, listening.sending, message)
                return _Sorted(Work(read_report(message).case_id, handle))
    except (KeysUnavailableError, LogError):
        raise
    except (UnprocessableError, UnreadableEventError, BoxBrokenError) as error:
        # Its traceback would keep what was read for as long as it waits, and longer.
        return _Sorted(Work.that_fails(error.with_traceback(None)))
    except Exception as error:
        return _Sorted(Work.that_fails(error))


def _sort_call(listening: Listening, opener: Opener, message: ChannelMessage) -> _Sorted:
    opened = open_call(opener, message)
    call = opened.incoming
    work = Work(
        call.caller_keys[0] if call.caller_keys else WITHHELD,
        partial(receive_call, listening.intake, listening.early_ends, opened),
        in_turn=bool(call.caller_keys),
    )
    return _Sorted(work, call.code_hashes)


def _in_front(one: _Sorted, live: frozenset[str]) -> Work:
    code = next((code for code in one.code_hashes if code in live), None)
    if code is None:
        return one.work
    return replace(one.work, source=code, is_first=True, in_turn=True)
