"""News that the stream has grown: the highest sequence reported so far.

It comes from what the server republishes, if the stream does so: then nobody needs permission to
create consumers, which could deliver to any subject. Otherwise from a headers-only consumer.
"""

import json
import logging
import re
import threading
import time
import uuid

from eventsourcing.persistence import OperationalError

from shared.jetstream.calls import Listening, Outgoing, Reply, RequestLostError, RequestRefusedError
from shared.jetstream.stream import Stream

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5
SILENCE_SECONDS = 12  # two heartbeats and a little: then the consumer is gone
UNUSED_SECONDS = 30  # the server removes the consumer after this long without its listener
NANOSECONDS = 1_000_000_000
SEQUENCE = re.compile(rb"\r\nNats-Sequence: (\d+)\r\n")


class News:
    """A subscription or an ephemeral push consumer, recreated when it may be gone.

    A consumer counts against the stream's `max_consumers`. Its word may come late or never (a lost
    consumer, a forbidden API), so whoever waits must also check for themselves periodically.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._name = ""
        self._generation = -1
        self._heard_at = 0.0
        self._latest = 0
        self._woken = False
        self._changed = threading.Condition()
        self._listening: Listening | None = None
        stream.connection.on_connected(self.wake)

    @property
    def latest(self) -> int:
        """The highest sequence reported so far; 0 before any."""
        return self._latest

    def wait_beyond(self, sequence: int, timeout: float) -> None:
        """Return when a higher sequence is known, on `wake`, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._latest > sequence or self._woken, timeout)
            self._woken = False

    def wake(self) -> None:
        """End the current or next wait."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def renew(self) -> bool:
        """Make the consumer if it is missing; True if it was tried, so news may have been missed.

        `RequestLostError` while there is no connection.
        """
        connection = self._stream.connection
        # Republished headers come without heartbeats.
        silent = time.monotonic() - self._heard_at > SILENCE_SECONDS and not self._republished
        if self._generation == connection.generation and not silent:
            return False
        self._drop_consumer()
        self._name = "" if self._republished else f"news-{uuid.uuid4().hex}"
        connection.wait_connected(self._stream.timeout)
        self._generation = connection.generation
        self._heard_at = time.monotonic()
        try:
            subject = self._stream.news_subject
            self._listening = connection.listen(self._hear, self._stream.timeout, subject)
            error = None if self._republished else self._create(self._listening.subject)
        except (RequestLostError, RequestRefusedError) as failure:
            error = str(failure)
        if error:
            # Retried after the time of silence; reading goes on meanwhile.
            logger.warning(
                "no news of stream %s, reading each second: %s", self._stream.name, error
            )
        return True

    def close(self) -> None:
        """Remove the consumer, without waiting."""
        self._stream.connection.off_connected(self.wake)
        self._drop_consumer()

    def _drop_consumer(self) -> None:
        connection = self._stream.connection
        if self._name:
            subject = self._stream.api(f"CONSUMER.DELETE.{self._stream.name}.{self._name}")
            connection.send(Outgoing(subject, b""))
            self._name = ""
        if self._listening is not None:
            connection.unlisten(self._listening)
            self._listening = None

    @property
    def _republished(self) -> bool:
        return bool(self._stream.news_subject)

    def _create(self, deliver_subject: str) -> object:
        creation = self._creation(deliver_subject)
        (reply,) = self._stream.connection.request(creation, self._stream.timeout)
        return "no responder" if reply.status else json.loads(reply.body).get("error")

    def _creation(self, deliver_subject: str) -> Outgoing:
        config = {
            "name": self._name,
            "deliver_policy": "new",
            "deliver_subject": deliver_subject,
            "ack_policy": "none",
            "headers_only": True,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": UNUSED_SECONDS * NANOSECONDS,
            "idle_heartbeat": HEARTBEAT_SECONDS * NANOSECONDS,
        }
        body = {"stream_name": self._stream.name, "config": config}
        subject = self._stream.api(f"CONSUMER.CREATE.{self._stream.name}.{self._name}")
        return Outgoing(subject, json.dumps(body).encode())

    def _hear(self, reply: Reply) -> None:
        self._heard_at = time.monotonic()
        if reply.status:  # a heartbeat
            return
        told = SEQUENCE.search(reply.headers)
        sequence = int(told[1]) if told is not None else acked_sequence(reply.reply_to)
        with self._changed:
            self._latest = max(self._latest, sequence)
            self._changed.notify_all()


def acked_sequence(reply_to: bytes) -> int:
    """The stream sequence in a consumer's ack subject, of the old and the new form (ADR-15)."""
    tokens = reply_to.split(b".")
    old_form = 9
    if tokens[:2] != [b"$JS", b"ACK"] or len(tokens) < old_form:
        raise OperationalError(f"not an ack subject of {len(tokens)} tokens")
    return int(tokens[5] if len(tokens) == old_form else tokens[7])
