"""Durable timers on real servers: late, replaced, cancelled, and over a kill -9.

No test waits for a clock: what is to fire is due already, and that something did not fire shows
when a timer that was set later has come.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from nats.errors import Error as NatsError

from passage.connecting import connected
from passage.install.provisioning import ask, provision
from passage.runner.nats_server import NatsServer
from shared import subjects
from shared.bus.timers import Timer, TimerRefusedError, Timers, read_timer
from shared.jetstream.connection import Connection
from tests.contexts import delivered
from tests.nats_cluster import NatsCluster
from tests.waiting import WITHIN_S

SERVICE = "intake"
STREAM = subjects.timers_stream(SERVICE)
LONG_AGO = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
FAR_OFF = datetime(2126, 3, 14, 12, 0, tzinfo=UTC)


def timer(kind: str, due_at: datetime = LONG_AGO) -> Timer:
    return Timer(kind=kind, about="CASE", due_at=due_at)


@contextmanager
def timers_at(url: str, service: str = SERVICE) -> Iterator[Timers]:
    connection = Connection({"servers": url.split(",")})
    try:
        yield Timers(connection, service, 5.0)
    finally:
        connection.close()


async def fired_until(url: str, last: str) -> list[Timer]:
    """Receives until the timer of that kind has come; a redelivered one counts once."""
    fired: dict[int, Timer] = {}
    async with connected(url) as client:
        js = client.jetstream(timeout=WITHIN_S)
        subscription = await js.pull_subscribe_bind(SERVICE, STREAM)
        while last not in {one.kind for one in fired.values()}:
            try:
                (message,) = await subscription.fetch(1, timeout=WITHIN_S)
                fired[message.metadata.sequence.stream] = read_timer(
                    delivered(message.subject, message.data)
                )
                await message.ack_sync()
            except NatsError:
                continue  # A fetch may stall, or find no leader, while a server is away.
    return list(fired.values())


def in_a_while() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=5)


@pytest.fixture
async def url(server: NatsServer) -> str:
    async with connected(server.url) as client:
        await provision(client, 1)
    return server.url


async def test_a_timer_arrives_as_it_was_set_and_leaves_nothing_behind(url: str) -> None:
    with timers_at(url) as timers:
        timers.set(timer("once"))
    assert await fired_until(url, "once") == [timer("once")]
    async with connected(url) as client:
        state = (await ask(client, f"STREAM.INFO.{STREAM}", None))["state"]
    assert state["messages"] == 0


async def test_set_again_it_counts_as_it_was_set_last_and_cancelled_it_does_not_fire(
    url: str,
) -> None:
    soon = in_a_while()
    with timers_at(url) as timers:
        timers.set(timer("same", soon))
        timers.set(timer("same", soon))
        timers.set(timer("later", soon))
        timers.set(timer("later", FAR_OFF))
        timers.set(timer("sooner", FAR_OFF))
        timers.set(timer("sooner", soon))
        timers.set(timer("cancelled", soon))
        timers.cancel(timer("cancelled", soon))
        timers.cancel(timer("never_set", soon))
        timers.set(timer("set_anew", soon))
        timers.cancel(timer("set_anew", soon))
        timers.set(timer("set_anew", soon))
        timers.set(timer("last", soon))
    fired = [one.kind for one in await fired_until(url, "last")]
    assert fired == ["same", "sooner", "set_anew", "last"]


async def test_killed_and_started_again_the_server_fires_each_timer_once(
    server: NatsServer, url: str
) -> None:
    soon = in_a_while()
    with timers_at(url) as timers:
        timers.set(timer("late"))
        timers.set(timer("in_time", soon))
        timers.set(timer("cancelled", soon))
        timers.cancel(timer("cancelled", soon))
        server.kill()
        server.start()
        timers.set(timer("last", soon))
    fired = [one.kind for one in await fired_until(url, "last")]
    assert sorted(fired) == ["in_time", "last", "late"]


async def test_a_timer_that_fired_waits_for_a_service_over_a_kill(
    server: NatsServer, url: str
) -> None:
    async with connected(url) as client:
        with timers_at(url) as timers:
            timers.set(timer("fired"))
        subject = subjects.due(SERVICE, timer("fired").name)
        found: dict[str, int] = {}
        while subject not in found:
            answer = await ask(client, f"STREAM.INFO.{STREAM}", {"subjects_filter": "due.>"})
            found = answer["state"].get("subjects") or {}
    server.kill()
    server.start()
    assert await fired_until(url, "fired") == [timer("fired")]


@pytest.mark.wire
async def test_with_its_leader_killed_a_replicated_stream_fires_each_timer_once(
    tmp_path: Path,
) -> None:
    names = [f"t_{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(60)]
    with NatsCluster(tmp_path) as cluster:
        async with connected(cluster.url) as client:
            await provision(client, 3)
            soon = datetime.now(UTC) + timedelta(seconds=15)  # Later than the last cancelling.
            with timers_at(cluster.url) as timers:
                for name in names:
                    timers.set(timer(name, soon))
                for name in names[::3]:
                    timers.cancel(timer(name, soon))
                leader = (await ask(client, f"STREAM.INFO.{STREAM}", None))["cluster"]["leader"]
                next(one for one in cluster.servers if one.name == leader).kill()
                timers.set(timer("last", soon + timedelta(seconds=1)))
        living = ",".join(one.url for one in cluster.servers if one.running)
        fired = [one.kind for one in await fired_until(living, "last")]
    assert sorted(fired) == sorted([*(set(names) - set(names[::3])), "last"])


async def test_a_daily_timer_set_again_stays_one_with_its_hour(url: str) -> None:
    hour = (datetime.now(UTC).hour + 12) % 24  # Far from now, or it would fire.
    with timers_at(url) as timers:
        timers.set_daily("rotation", time((hour - 1) % 24, 30))
        timers.set_daily("rotation", time(hour, 0))
    async with connected(url) as client:
        js = client.jetstream(timeout=WITHIN_S)
        kept = await js.get_last_msg(STREAM, subjects.timer(SERVICE, "rotation"))
        state = (await ask(client, f"STREAM.INFO.{STREAM}", None))["state"]
    assert kept.headers is not None
    assert kept.headers["Nats-Schedule"] == f"0 0 {hour} * * *"
    assert state["messages"] == 1


async def test_no_timer_fires_on_the_subjects_of_another_service(url: str) -> None:
    refused = []
    async with connected(url) as client:
        for target in ("due.keyholder.rotation", "cases.CASE.1.CaseOpened", "parked.intake.failed"):
            reply = await client.request(
                subjects.timer(SERVICE, "forged"),
                b"{}",
                timeout=WITHIN_S,
                headers={
                    "Nats-Schedule": f"@at {LONG_AGO.isoformat()}",
                    "Nats-Schedule-Target": target,
                },
            )
            refused.append(json.loads(reply.data)["error"]["err_code"])
    assert refused == [10190, 10190, 10190]


async def test_wiping_its_own_timers_a_service_leaves_those_of_others(url: str) -> None:
    with timers_at(url, "keyholder") as others:
        others.set(timer("theirs", FAR_OFF))
    async with connected(url) as client:
        for headers in (
            {"Nats-Rollup": "all"},
            {"Nats-Scheduler": "timers.keyholder.theirs-CASE", "Nats-Schedule-Next": "purge"},
        ):
            await client.request(
                subjects.timer(SERVICE, "hostile"), b"", timeout=WITHIN_S, headers=headers
            )
        kept = await client.jetstream(timeout=WITHIN_S).get_last_msg(
            subjects.timers_stream("keyholder"), "timers.keyholder.theirs-CASE"
        )
    assert kept.data


async def test_without_its_stream_a_timer_is_refused_and_not_lost_silently(
    server: NatsServer,
) -> None:
    async with connected(server.url) as client:
        await ask(client, "STREAM.CREATE.PLAIN", {"name": "PLAIN", "subjects": ["timers.plain.>"]})
    with timers_at(server.url, "plain") as timers, pytest.raises(TimerRefusedError):
        timers.set(timer("refused"))


def test_one_timer_is_one_cause_and_another_time_is_another() -> None:
    assert timer("a").cause_id == timer("a").cause_id
    assert len({timer("a").cause_id, timer("b").cause_id, timer("a", FAR_OFF).cause_id}) == 3
    with pytest.raises(ValueError, match="kind"):
        timer("dashes-run-into-names")
