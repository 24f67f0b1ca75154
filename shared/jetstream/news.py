"""News that the stream has grown: the highest sequence that the server republished so far.

So nobody needs permission to create consumers, which could deliver to any subject.
"""

import logging
import re
import threading

from nats.aio.subscription import Subscription

from shared.jetstream.calls import Reply, RequestLostError, RequestRefusedError
from shared.jetstream.stream import Stream

logger = logging.getLogger(__name__)

SEQUENCE = re.compile(rb"\r\nNats-Sequence: (\d+)\r\n")


class News:
    """A subscription to what the server republishes, renewed after each connect.

    News may come late or never, so a caller that waits must also check periodically.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._generation = -1
        self.latest = 0
        """The highest sequence reported so far; 0 before any."""
        self._woken = False
        self._changed = threading.Condition()
        self._listening: Subscription | None = None
        stream.connection.on_connected(self.wake)

    def wait_beyond(self, sequence: int, timeout: float) -> None:
        """Return when a higher sequence is known, on `wake`, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.latest > sequence or self._woken, timeout)
            self._woken = False

    def wake(self) -> None:
        """End the current or next wait."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def renew(self) -> bool:
        """Subscribe if it is needed; True if it was tried, so news may have been missed.

        `RequestLostError` while there is no connection.
        """
        stream, connection = self._stream, self._stream.connection
        if self._generation == connection.generation:
            return False
        self._unlisten()
        connection.wait_connected(stream.timeout)
        self._generation = connection.generation
        try:
            if stream.news_subject:
                subscribing = connection.listen(self._hear, stream.timeout, stream.news_subject)
                self._listening = subscribing
        except (RequestLostError, RequestRefusedError) as error:
            # Retried after the next connect; reading continues meanwhile.
            logger.warning("no news of stream %s, reading each second: %s", stream.name, error)
        return True

    def close(self) -> None:
        """Unsubscribe, without waiting."""
        self._stream.connection.off_connected(self.wake)
        self._unlisten()

    def _unlisten(self) -> None:
        if self._listening is not None:
            self._stream.connection.unlisten(self._listening)
            self._listening = None

    def _hear(self, reply: Reply) -> None:
        told = SEQUENCE.search(reply.headers)
        with self._changed:
            self.latest = max(self.latest, int(told[1]) if told is not None else 0)
            self._changed.notify_all()
