"""What somebody signed, as the log itself has it: read past query, which had asked for it.

A page that was altered can have "approve 4711" sign something else; it can't keep that from here.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import NamedTuple

from nats.aio.client import Client

from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.integrity.log_reading import last_sequence, read_batches, read_stream
from passage.printing import counted, out, print_table, short_time
from passage.running import Running
from shared import subjects
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.people import SignaturesSeen, log_of
from shared.jetstream.stored import StoredMessage

SIGNATURES = b'"signatures":'
COLUMNS = ("sequence", "recorded", "act", "about")


class SignedBy(NamedTuple):
    new: bool
    """Whether it came since they last looked."""
    sequence: int
    recorded: str
    about: str
    signed: str
    """The canonical form: what the key signed."""

    @property
    def act(self) -> str:
        with suppress(ValueError, TypeError, KeyError):
            return str(json.loads(self.signed)["act"])
        return ""


async def all_signed_by(running: Running, account: str) -> list[SignedBy]:
    """In the log's order."""
    async with connected(running) as client:
        seen = await _seen_by(client, account)
        return [one async for one in _signed_since(client, account, 0, seen)]


async def new_in_name_of(running: Running, account: str) -> list[SignedBy] | None:
    """What they haven't seen yet; None where the log can't be read, as without the keeper's key."""
    try:
        async with connected(running) as client:
            seen = await _seen_by(client, account)
            return [one async for one in _signed_since(client, account, seen, seen)]
    except VerbEndedError:
        return None


def tell_new(new: list[SignedBy] | None, account: str) -> None:
    """Whoever signs should see what was recorded of it, by another way than the one that asked."""
    if not new:
        return
    where = f"in your name since you last looked: `passage log signed {account}`"
    rows = [(one.sequence, short_time(one.recorded), one.act, one.about) for one in new]
    out.print(f"{counted(len(new), 'signature')} {where}")
    print_table("As the log itself has it", COLUMNS, rows)


async def _seen_by(client: Client, account: str) -> int:
    """Up to which sequence somebody looked last."""
    last = await last_sequence(client, subjects.CASES)
    own = f"{subjects.CASES_PREFIX}.{log_of(account)}.*.{SignaturesSeen.__name__}"
    said = [_seen_in(one) async for one in read_stream(client, subjects.CASES, last, own)]
    return max(said, default=0)


def _seen_in(stored: StoredMessage) -> int:
    with suppress(UnreadableEventError):
        event = read_case_event(stored.body)
        if isinstance(event.data, SignaturesSeen):
            return min(event.data.through, stored.sequence)
    return 0


async def _signed_since(
    client: Client, account: str, after: int, seen: int
) -> AsyncIterator[SignedBy]:
    last = await last_sequence(client, subjects.CASES)
    async for batch in read_batches(client, subjects.CASES, last, first=after + 1):
        for stored in batch:
            if SIGNATURES in stored.body:
                for one in _signatures_in(stored, account):
                    yield one._replace(new=one.sequence > seen)


def _signatures_in(stored: StoredMessage, account: str) -> Iterator[SignedBy]:
    """Of what can't be read, none: `passage verify` says so."""
    with suppress(UnreadableEventError):
        event = read_case_event(stored.body)
        at = stored.recorded_at.isoformat(timespec="seconds")
        for one in event.signatures or ():
            if one.person == account:
                yield SignedBy(True, stored.sequence, at, event.subject, one.canonical)
