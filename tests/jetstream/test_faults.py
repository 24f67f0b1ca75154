"""Servers that are killed while events are stored and read: nothing acknowledged is lost."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from eventsourcing.persistence import OperationalError

from passage.runner.nats_server import NatsServer
from shared.jetstream import JetStreamApplicationRecorder, RecordedEvent, SequenceGapError
from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection
from tests.jetstream.conftest import log_env, open_log, opened
from tests.nats_cluster import NatsCluster
from tests.waiting import WITHIN_S

WRITERS = 16
KILLS = 3
ACKS_BETWEEN_KILLS = 300
ENDS_WHILE_CONNECTING = 300


class Load:
    """Writers that store one-event cases, and a subscriber that reads all, until told to stop."""

    def __init__(self, writer: JetStreamApplicationRecorder, reader: JetStreamApplicationRecorder):
        self.acknowledged: dict[int, bytes] = {}
        self.read: list[RecordedEvent] = []
        self.errors: list[Exception] = []
        self._writer = writer
        self._subscription = reader.subscribe()
        self._changed = threading.Condition()
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]
        threads.append(threading.Thread(target=self._read))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads[:-1]:
                thread.join()
            self.wait_read()
            self._subscription.stop()
            threads[-1].join()

    def wait_acknowledged(self, more: int) -> None:
        with self._changed:
            wanted = len(self.acknowledged) + more
            assert self._changed.wait_for(
                lambda: len(self.acknowledged) >= wanted or self.errors, WITHIN_S
            )

    def wait_read(self) -> None:
        last = self._writer.max_notification_id() or 0
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.read) >= last or self.errors, WITHIN_S)

    def _write(self) -> None:
        while not self._stopping.is_set():
            event_id = str(uuid.uuid4())
            event = opened(state=event_id.encode())
            try:
                (sequence,) = self._writer.insert_events([event], message_ids=[event_id]) or []
            except Exception as error:
                self._note(error)
                return
            with self._changed:
                assert sequence not in self.acknowledged
                self.acknowledged[sequence] = event.state
                self._changed.notify_all()

    def _read(self) -> None:
        while not self._subscription._has_been_stopped:
            try:
                events = self._subscription.next_batch(1000, 1.0)
            except Exception as error:
                self._note(error)
                return
            with self._changed:
                self.read += events
                self._changed.notify_all()

    def _note(self, error: Exception) -> None:
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()


def check(load: Load) -> None:
    assert load.errors == []
    # No gap, no repeat; no event twice, whatever was resent; all that was acknowledged is there.
    assert [event.id for event in load.read] == list(range(1, len(load.read) + 1))
    assert len({event.state for event in load.read}) == len(load.read)
    stored = {event.id: event.state for event in load.read}
    assert load.acknowledged.items() <= stored.items()
    assert len(load.acknowledged) >= KILLS * ACKS_BETWEEN_KILLS


def test_kill_9_of_the_server_under_load(own_server: NatsServer) -> None:
    settings = log_env(own_server.url, 1)
    load = Load(open_log(settings), open_log(settings))
    with load.running():
        for _ in range(KILLS):
            load.wait_acknowledged(ACKS_BETWEEN_KILLS)
            own_server.kill()
            own_server.start(WITHIN_S)
        load.wait_acknowledged(ACKS_BETWEEN_KILLS)
    check(load)


def test_kill_9_of_each_server_of_three_under_load(r3_cluster: NatsCluster) -> None:
    settings = log_env(r3_cluster.url, 3) | {"JETSTREAM_DEADLINE": "30"}
    load = Load(open_log(settings), open_log(settings))
    with load.running():
        for server in r3_cluster.servers:
            load.wait_acknowledged(ACKS_BETWEEN_KILLS)
            server.kill()
            load.wait_acknowledged(1)
            server.start(WITHIN_S)
        load.wait_acknowledged(ACKS_BETWEEN_KILLS)
    check(load)


def test_an_insert_without_a_server_ends_at_the_deadline(own_server: NatsServer) -> None:
    settings = log_env(own_server.url, 1)
    open_log(settings)  # Makes the stream, in its own time.
    log = open_log(settings, JETSTREAM_CREATE_STREAM="no", JETSTREAM_DEADLINE="0.3")
    own_server.kill()
    with pytest.raises(OperationalError, match="outcome unknown"):
        log.insert_events([opened(state=b"secret")])
    with pytest.raises(OperationalError) as caught:
        log.select_events(uuid4())
    assert "secret" not in str(caught.value)


def test_what_comes_after_the_end_is_refused_and_waits_for_no_deadline(
    own_server: NatsServer,
) -> None:
    log = open_log(log_env(own_server.url, 1))
    log.select_events(uuid4())
    log.log.stream.connection.close()
    with pytest.raises(OperationalError, match="was closed"):
        log.insert_events([opened()])
    with pytest.raises(OperationalError, match="was closed"):
        log.select_events(uuid4())


def test_who_waits_for_a_server_is_refused_when_the_connection_ends(
    own_server: NatsServer,
) -> None:
    own_server.stop()
    connection = Connection({"servers": [own_server.url]})
    said: list[Exception] = []

    def wait() -> None:
        try:
            connection.wait_connected(10 * WITHIN_S)
        except (RequestRefusedError, RequestLostError) as error:
            said.append(error)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    connection.close()
    # Less than it would wait by itself: at its own deadline it would be told the same.
    waiter.join(2 * WITHIN_S)
    assert not waiter.is_alive()
    assert [str(one) for one in said] == ["the connection was closed"]


def test_what_is_larger_than_the_server_takes_is_refused(own_server: NatsServer) -> None:
    connection = Connection({"servers": [own_server.url]})
    connection.wait_connected(WITHIN_S)
    too_large = Outgoing("nobody", bytes(connection.max_payload + 1))
    with pytest.raises(RequestRefusedError, match="maximum payload"):
        connection.request(too_large, WITHIN_S)
    connection.close()


def test_a_connection_ends_at_whatever_moment_of_connecting(own_server: NatsServer) -> None:
    # nats-py's connect swallows a cancelling now and then: one in some hundreds of these.
    for _ in range(ENDS_WHILE_CONNECTING):
        connection = Connection({"servers": [own_server.url]})
        connection.close()
        connection._thread.join(WITHIN_S)
        assert not any(one is connection._thread for one in threading.enumerate())


def test_the_garbage_collector_may_close_a_connection_in_its_own_thread(
    own_server: NatsServer,
) -> None:
    connection = Connection({"servers": [own_server.url]})

    async def close() -> None:
        connection.close()

    asyncio.run_coroutine_threadsafe(close(), connection._loop).result(WITHIN_S)
    connection._thread.join(WITHIN_S)
    assert not connection._thread.is_alive()


def test_an_insert_waits_for_a_server_that_comes_back(own_server: NatsServer) -> None:
    log = open_log(log_env(own_server.url, 1), JETSTREAM_DEADLINE="60")
    own_server.kill()
    stored: list[object] = []
    writer = threading.Thread(target=lambda: stored.append(log.insert_events([opened()])))
    writer.start()
    own_server.start(WITHIN_S)
    writer.join(WITHIN_S)
    assert stored == [[1]]


def test_a_lost_acknowledgement_does_not_store_twice(own_server: NatsServer) -> None:
    # The first answer never reaches the caller, as when the connection breaks just before it.
    log = open_log(log_env(own_server.url, 1), JETSTREAM_TIMEOUT="0.2")
    connection, answered = log.log.stream.connection, threading.Event()
    take_reply = connection._on_reply

    def lose_first(subject: bytes, reply: object) -> None:
        if answered.is_set():
            take_reply(subject, reply)  # type: ignore[arg-type]
        answered.set()

    connection._client._raw = dict.fromkeys(connection._client._raw, lose_first)
    assert log.insert_events([opened()]) == [1]
    assert log.max_notification_id() == 1


def test_a_stream_that_lost_its_end_stops_the_subscription(own_server: NatsServer) -> None:
    settings = log_env(own_server.url, 1)
    open_log(settings).insert_events([opened()])
    log = open_log(settings, JETSTREAM_CREATE_STREAM="no", JETSTREAM_DEADLINE="3")
    with log.subscribe(gt=5) as subscription, pytest.raises(SequenceGapError) as caught:
        subscription.next_batch(10, WITHIN_S)
    assert (caught.value.expected, caught.value.found) == (6, 1)


def test_a_connection_that_the_server_ends_for_good_is_made_again(own_server: NatsServer) -> None:
    log = open_log(log_env(own_server.url, 1))
    connection = log.log.stream.connection
    log.insert_events([opened()])
    with log.subscribe() as subscription:
        assert len(subscription.next_batch(10, WITHIN_S)) == 1
        transport = connection._client._transport
        assert transport is not None
        connection._loop.call_soon_threadsafe(transport.write, b"NONSENSE\r\n")
        assert len(log.insert_events([opened()]) or []) == 1
        assert len(subscription.next_batch(10, WITHIN_S)) == 1
        assert connection.generation > 1


def test_settings_that_cannot_work_fail_at_once(own_server: NatsServer) -> None:
    with pytest.raises(OperationalError, match="no NATS connection"):
        open_log(log_env(own_server.url, 1), NATS_NKEY_SEED_FILE="/no/such/file")
