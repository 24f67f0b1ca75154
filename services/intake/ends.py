"""Ends of calls, in any order: one whose call is in no case yet is remembered, and takes effect
with its call.

Each channel's early ends are bounded: a newer one may replace an older one of the same channel.
"""

from __future__ import annotations

import hashlib

from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.jetstream.buckets import Bucket, Change, TakenError
from shared.log.transact import ContendedError

ENDS_KEPT = 16_384
"""Per channel."""
ATTEMPTS = 10


class EarlyEnds:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def remember(self, ended: CallEnded) -> None:
        """Raises ContendedError if its place keeps changing.

        An oddly formed original isn't kept: there are no keys for a call that is in no case.
        """
        body = ended.model_copy(update={"as_received": None}).model_dump_json().encode()
        key = _place(ended.channel, ended.call_id)
        for _ in range(ATTEMPTS):
            kept = self._bucket.get(key)
            try:
                if kept is None:
                    self._bucket.create(key, body)
                elif kept.value != body:
                    self._bucket.change([Change(key, body, kept.revision)])
            except TakenError:
                continue
            return
        raise ContendedError("the place of an early end keeps changing")

    def of_call(self, channel: Channel, call_id: str) -> CallEnded | None:
        kept = self._bucket.get(_place(channel, call_id))
        if kept is None:
            return None
        ended = CallEnded.model_validate_json(kept.value)
        return ended if ended.call_id == call_id else None


def _place(channel: Channel, call_id: str) -> str:
    digest = hashlib.sha256(call_id.encode()).digest()
    return f"{channel}.{int.from_bytes(digest[:8], 'big') % ENDS_KEPT}"
