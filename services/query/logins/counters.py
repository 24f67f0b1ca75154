"""The highest counter that each passkey logged in with: one that goes back was copied.

Deciding services keep their own for signatures; a key that doesn't count says 0 for ever.
"""

from services.query.logins.proofs import NotProvenError
from shared.jetstream.buckets import Bucket, Change, TakenError
from shared.people.state import Key


class Counters:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def advance(self, account: str, key: Key, count: int) -> None:
        """Raises NotProvenError unless it is above the last one, and LogError."""
        name = key.counted_as(account)
        entry = self._bucket.get(name)
        last = int(entry.value) if entry is not None else key.sign_count
        if count == 0 and last == 0:
            return
        if count <= last:
            raise NotProvenError("counter_back")
        try:
            if entry is None:
                self._bucket.create(name, str(count).encode())
            else:
                self._bucket.change([Change(name, str(count).encode(), entry.revision)])
        except TakenError:  # The same key logs in elsewhere at this very moment.
            raise NotProvenError("counter_back") from None
