"""Two hundred writers want one version; one gets it, on one server and on three."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError

from shared.jetstream import JetStreamApplicationRecorder, append
from tests.jetstream.conftest import open_log, opened
from tests.nats_cluster import NatsCluster

WRITERS = 200
ROUNDS = 50


def race(recorders: list[JetStreamApplicationRecorder], pool: ThreadPoolExecutor) -> list[int]:
    """The writers who were told that their event is stored as version 1 of a new case."""
    case_id = uuid4()
    start = threading.Barrier(WRITERS)

    def write(writer: int) -> bool:
        start.wait()
        try:
            event = opened(case_id, 1, b"writer %d" % writer)
            recorders[writer % len(recorders)].insert_events([event])
        except IntegrityError:
            return False
        return True

    won = list(pool.map(write, range(WRITERS)))
    winners = [writer for writer, has_won in enumerate(won) if has_won]
    check_stored(recorders[winners[0] % len(recorders)], case_id, winners)
    return winners


def check_stored(log: JetStreamApplicationRecorder, case_id: UUID, winners: list[int]) -> None:
    # The winner's own recorder: another replica may not have the event yet.
    stored = {event.state for event in log.select_events(case_id)}
    assert stored <= {b"writer %d" % winner for winner in winners}


def test_one_writer_of_200_wins_on_one_server(r1_env: dict[str, str]) -> None:
    recorders = [open_log(r1_env), open_log(r1_env)]
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in range(ROUNDS):
            assert len(race(recorders, pool)) == 1
    assert recorders[0].max_notification_id() == ROUNDS


def test_one_writer_of_200_wins_on_three_servers(
    r3_cluster: NatsCluster, r3_env: dict[str, str]
) -> None:
    recorders = [open_log(r3_env, NATS_URL=server.url) for server in r3_cluster.servers]
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in range(ROUNDS):
            assert len(race(recorders, pool)) == 1
    assert recorders[0].max_notification_id() == ROUNDS


def test_the_race_shows_a_missing_guard(
    r1_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unguarded(entry: append.Entry, _: str) -> dict[str, str]:
        return {"Nats-Msg-Id": append.digest(entry)}

    monkeypatch.setattr(append, "headers", unguarded)
    with ThreadPoolExecutor(WRITERS) as pool:
        assert len(race([open_log(r1_env)], pool)) > 1


@pytest.mark.parametrize("attempts", [120])  # The server holds 50 open batches a stream.
def test_refused_batches_leave_none_open(log_settings: dict[str, str], attempts: int) -> None:
    # An answer that is lost would leave it open whether the batch was refused.
    log = open_log(log_settings, JETSTREAM_TIMEOUT="60")
    taken = uuid4()
    log.insert_events([opened(taken)])
    for _ in range(attempts):
        with pytest.raises(IntegrityError):
            log.insert_events([opened(), opened(), opened(taken)])
    assert len(log.insert_events([opened(), opened()]) or []) == 2
    assert log.max_notification_id() == 3
