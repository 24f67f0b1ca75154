"""Reading: long originators, the past, refreshing a fold, repeats of an insert, holes."""

import inspect
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing import persistence
from nats.aio.client import Client

from passage.runner.nats_server import NatsServer
from shared.jetstream import SequenceGapError
from shared.jetstream.calls import Outgoing, Reply
from shared.jetstream.stream import READ_BATCH_BYTES, Stream, TooManySubjectsError
from tests.jetstream.conftest import history, log_env, open_log, opened, store_long
from tests.waiting import WITHIN_S


def versions(events: object) -> list[int]:
    assert isinstance(events, list)
    return [event.originator_version for event in events]


def test_2500_events_of_one_case_are_read_whole_and_in_parts(log_settings: dict[str, str]) -> None:
    log, case_id = open_log(log_settings), uuid4()
    sequences = store_long(log, case_id, 2500)
    events = list(log.select_events(case_id))
    assert versions(events) == list(range(1, 2501))
    assert [event.id for event in events] == sequences
    assert [event.state for event in events] == [b"%d" % v for v in range(1, 2501)]
    select = log.select_events
    assert versions(select(case_id, gt=2400)) == list(range(2401, 2501))
    assert versions(select(case_id, gt=10, lte=20)) == list(range(11, 21))
    assert versions(select(case_id, gt=100, lte=2200)) == list(range(101, 2201))
    assert versions(select(case_id, desc=True, limit=2)) == [2500, 2499]
    assert versions(select(case_id, limit=2)) == [1, 2]
    assert versions(select(case_id, after_sequence=sequences[2497])) == [2499, 2500]
    assert versions(select(case_id, after_sequence=sequences[-1])) == []
    assert versions(select(case_id, gt=2500)) == versions(select(case_id, gt=3, lte=3)) == []


@pytest.mark.parametrize(("count", "found"), [(0, 0), (7, 7), (8, 8), (9, 8), (1024, 8)])
def test_of_a_case_the_first_events_are_read_and_whether_they_are_all(
    log_settings: dict[str, str], count: int, found: int
) -> None:
    log, case_id = open_log(log_settings), uuid4()
    store_long(log, case_id, count)
    store_long(log, uuid4(), 3)
    events, are_all = log.first_events(case_id, 8)
    assert (versions(events), are_all) == (list(range(1, found + 1)), count < 8)


def test_the_first_events_of_too_long_a_case_are_asked_for_by_version(
    log_settings: dict[str, str],
) -> None:
    log, case_id = open_log(log_settings), uuid4()
    store_long(log, case_id, 1025)
    with pytest.raises(TooManySubjectsError):
        log.first_events(case_id, 8)


def test_several_messages_asked_of_the_leader_at_once_come_in_their_order(
    log_settings: dict[str, str],
) -> None:
    log, case_id = open_log(log_settings), uuid4()
    store_long(log, case_id, 3)
    stream, subjects = log.log.stream, log.log.subjects
    asked = [{"last_by_subj": subjects.version_filter(case_id, one)} for one in (3, 4, 1)]
    found = [None if one is None else one.body for one in stream.leader_messages(asked)]
    assert found == [b"3", None, b"1"]
    assert stream.leader_messages([]) == []


@pytest.mark.parametrize("count", [1000, 1001, 1024, 1025])
def test_cases_about_as_long_as_one_answer(r1_env: dict[str, str], count: int) -> None:
    log, case_id = open_log(r1_env), uuid4()
    store_long(log, case_id, count)
    assert versions(log.select_events(case_id)) == list(range(1, count + 1))


def test_repeating_an_insert_and_saying_so_gives_its_sequences(
    log_settings: dict[str, str],
) -> None:
    log, one, two = open_log(log_settings), opened(), history(uuid4(), 1, 2)
    first = log.insert_events([one], message_ids=["id-1"])
    both = log.insert_events(two, message_ids=["id-2", "id-3"])
    assert log.insert_events([one], message_ids=["id-1"], repeated=True) == first
    assert log.insert_events(two, message_ids=["id-2", "id-3"], repeated=True) == both
    assert log.max_notification_id() == 3


def test_a_repeat_with_other_bytes_is_a_conflict(log_settings: dict[str, str]) -> None:
    log, event = open_log(log_settings), opened(state=b"one")
    other = opened(event.originator_id, state=b"other")  # type: ignore[arg-type]
    log.insert_events([event], message_ids=["id-1"])
    for message_id in ("id-1", "id-2"):
        with pytest.raises(persistence.IntegrityError):
            log.insert_events([other], message_ids=[message_id], repeated=True)
    with pytest.raises(persistence.IntegrityError):
        log.insert_events([opened()], message_ids=["id-1"])


def test_a_repeat_that_does_not_say_so_is_a_conflict(log_settings: dict[str, str]) -> None:
    log, event = open_log(log_settings), opened()
    log.insert_events([event])
    with pytest.raises(persistence.IntegrityError):
        log.insert_events([event])


def test_what_cannot_be_stored_is_refused_before_it_is_sent(r1_env: dict[str, str]) -> None:
    log = open_log(r1_env)
    for events in (
        history(uuid4(), 1, 1001),
        [opened(state=b"x" * 2_000_000)],
        [opened(version=-1)],
        [opened(), opened(state=b"x" * 2_000_000)],
    ):
        with pytest.raises(persistence.ProgrammingError):
            log.insert_events(events)
    assert log.max_notification_id() is None


def test_the_stored_body_is_the_state_and_headers_are_as_documented(
    r1_env: dict[str, str],
) -> None:
    log, event = open_log(r1_env, JETSTREAM_CONTENT_TYPE="application/json"), opened()
    log.insert_events([event], message_ids=["id-1"])
    stream = log.log.stream
    request = Outgoing(f"$JS.API.DIRECT.GET.{stream.name}", b'{"seq":1}')
    (reply,) = stream.connection.request(request, 2)
    prefix = stream.name.lower()
    assert reply.body == event.state
    for line in (
        f"Nats-Subject: {prefix}.{event.originator_id}.1.CaseOpened",
        f"Nats-Expected-Last-Subject-Sequence-Subject: {prefix}.{event.originator_id}.1.*",
        "Nats-Expected-Last-Subject-Sequence: 0",
        "Nats-Msg-Id: id-1",
        "Content-Type: application/json",
    ):
        assert f"\r\n{line}\r\n".encode() in reply.headers


def test_what_is_read_at_once_is_bounded_in_bytes(r1_env: dict[str, str]) -> None:
    log, size = open_log(r1_env), 700_000
    sequences = [
        one for _ in range(30) for one in log.insert_events([opened(state=b"x" * size)]) or ()
    ]
    with log.subscribe() as subscription:
        batches: list[Any] = []
        while sum(map(len, batches)) < len(sequences):
            batches.append(subscription.next_batch(1_000, WITHIN_S))
    pages: list[Any] = []
    start = 1
    while page := log.select_notifications(start, 1_000):
        pages.append(page)
        start = page[-1].id + 1
    for read in (batches, pages):
        assert [event.id for batch in read for event in batch] == sequences
        assert max(map(len, read)) <= READ_BATCH_BYTES // size + 1


def test_one_case_is_read_in_answers_that_are_bounded_in_bytes(
    r1_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, case_id, size = open_log(r1_env), uuid4(), 700_000
    for version in range(1, 31):
        log.insert_events([opened(case_id, version, b"x" * size)])
    answers: list[int] = []
    read = Stream._read

    def noted(stream: Stream, request: Mapping[str, object]) -> list[Reply]:
        replies = read(stream, request)
        answers.append(len(replies) - 1)
        return replies

    monkeypatch.setattr(Stream, "_read", noted)
    for lte in (None, 30):
        assert versions(log.select_events(case_id, lte=lte)) == list(range(1, 31))
    assert max(answers) <= READ_BATCH_BYTES // size + 1


def test_a_hole_in_the_stream_stops_the_subscription(own_server: NatsServer) -> None:
    log = open_log(log_env(own_server.url, 1), JETSTREAM_CREATE_STREAM="no")
    stream = log.log.stream
    # A log proper can't lose messages this way: it is made with deny_delete.
    config = {"name": stream.name, "subjects": [log.log.subjects.all_events], "allow_direct": True}
    stream._ask_each(f"STREAM.CREATE.{stream.name}", [config])
    for _ in range(3):
        log.insert_events([opened()])
    stream._ask_each(f"STREAM.MSG.DELETE.{stream.name}", [{"seq": 2}])
    with log.subscribe() as subscription:
        assert [event.id for event in subscription.next_batch(10, WITHIN_S)] == [1]
        with pytest.raises(SequenceGapError) as caught:
            subscription.next_batch(10, WITHIN_S)
    assert (caught.value.expected, caught.value.found) == (2, 3)


def test_a_forbidden_subject_fails_at_once(own_server: NatsServer) -> None:
    own_server.stop()
    own_server.extra_config = """
        authorization {
          users: [{user: u, password: p, permissions: {publish: {deny: "t.*.*.No"}}}]
        }"""
    own_server.start()
    url = own_server.url.replace("nats://", "nats://u:p@")
    log = open_log(
        log_env(url, 1),
        JETSTREAM_SUBJECT_PREFIX="t",
        JETSTREAM_TIMEOUT="60",
        JETSTREAM_DEADLINE="60",
    )
    assert log.insert_events([opened()]) == [1]
    with pytest.raises(persistence.OperationalError, match="permissions violation"):
        log.insert_events([persistence.StoredEvent(uuid4(), 1, "No", b"secret")])


def test_nats_py_still_calls_the_method_we_override() -> None:
    assert list(inspect.signature(Client._process_msg).parameters) == [
        "self",
        "sid",
        "subject",
        "reply",
        "data",
        "headers",
    ]
