"""Every server's copy of CASES is read, and a copy that differs is named."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from passage.connecting import connected
from passage.install.provisioning import ApiRefusedError, ask, provision
from passage.integrity import log_reading
from passage.integrity.findings import Findings
from passage.integrity.repair.anew import make_anew, store
from passage.integrity.verify import replicas_check
from passage.integrity.verify.replicas_check import check_replicas
from passage.runner.nats_server import NatsServer
from shared.jetstream.raw_client import RawClient
from tests.integrity.attacks import Record, message_folder, read_records, write_records
from tests.integrity.prepared import some_log
from tests.late import TOO_SHORT_S
from tests.nats_cluster import NatsCluster
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

EVENTS = 30


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path / "cluster") as servers:
        yield servers
        servers.stop()


async def filled(cluster: NatsCluster) -> None:
    async with connected(cluster.url) as client:
        await provision(client, 3)
        await store(client, some_log(3, 10), lambda _: None)


async def found(cluster: NatsCluster) -> tuple[int, set[tuple[str, str]]]:
    findings = Findings()
    async with connected(cluster.url) as client:
        copies = await check_replicas(client, EVENTS, findings)
    return copies, {(one.where, one.what) for one in findings.kept}


async def current(cluster: NatsCluster) -> None:
    """Waits until every copy is current again."""
    async with connected(cluster.url, attempts=50) as client:
        while True:
            try:
                group = (await ask(client, "STREAM.INFO.CASES", None)).get("cluster", {})
            except ApiRefusedError:
                continue  # Without a leader nobody knows.
            copies = group.get("replicas", [])
            if group.get("leader") and len(copies) == 2 and all(c.get("current") for c in copies):
                return


async def tampered(cluster: NatsCluster, number: int, at: int) -> None:
    """Changes one record in the files of one server, which is stopped meanwhile."""
    server = cluster.servers[number]
    server.stop(WITHIN_S)  # Killed earlier it leaves no index, and heals.
    folder = message_folder(server.store_path)
    records: list[Record] = read_records(folder)
    forged = records[at].body.replace(b"operator:amber", b"operator:green")
    records[at] = replace(records[at], body=forged)
    write_records(folder, records, index=True)  # Without its index it heals from the others.
    server.start(WITHIN_S)
    await current(cluster)


async def test_equal_copies_are_read_in_many_pulls_and_one_that_takes_too_long_is_named(
    cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reading, "BATCH_MESSAGES", 10)
    await filled(cluster)
    await current(cluster)
    assert await found(cluster) == (3, set())
    monkeypatch.setattr(log_reading, "TIMEOUT_S", TOO_SHORT_S)
    monkeypatch.setattr(replicas_check, "DRAWS_A_COPY", 1)
    copies, findings = await found(cluster)
    assert (copies, {where for where, _ in findings}) == (0, {"n1", "n2", "n3"})
    assert all(what.startswith("its copy could not be read;") for _, what in findings)


async def test_a_copy_with_other_bytes_is_named_with_its_sequences(cluster: NatsCluster) -> None:
    await filled(cluster)
    await current(cluster)
    await tampered(cluster, 1, 6)
    assert await found(cluster) == (3, {("n2, sequences 7 to 7", "other bytes")})


async def test_a_server_that_is_away_is_named(cluster: NatsCluster) -> None:
    await filled(cluster)
    await current(cluster)
    cluster.servers[2].stop()
    copies, findings = await found(cluster)
    assert copies == 2
    assert "n3" in {where for where, _ in findings}


async def test_a_copy_that_gets_no_further_is_looked_at_so_often_and_what_it_lacks_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas_check, "LAGGING_LOOKS_MAX", 2)
    monkeypatch.setattr(replicas_check, "LOOK_AGAIN_AFTER_S", 0.0)
    *log, last = some_log(3, 10)
    with NatsServer(tmp_path / "nats", sync_interval='"1m"') as server:
        async with connected(server.url) as client:
            await make_anew(client, 1)
            await store(client, log, lambda _: None)
            consumer = await new_consumer(client)
            asked = client.stats["out_msgs"]
            lagging = await replicas_check._marks(client, consumer, EVENTS)
            assert client.stats["out_msgs"] - asked == 1 + replicas_check.LAGGING_LOOKS_MAX
            await store(client, [last], lambda _: None)
            whole = await replicas_check._marks(client, await new_consumer(client), EVENTS)
    findings = Findings()
    replicas_check._compare({"n1": whole, "n2": lagging, "n3": whole}, EVENTS, findings)
    assert [(one.where, one.what) for one in findings.kept] == [
        ("n2, sequences 30 to 30", "missing")
    ]


async def new_consumer(client: RawClient) -> str:
    body = {"stream_name": "CASES", "config": replicas_check.CONSUMER, "action": "create"}
    return str((await ask(client, "CONSUMER.CREATE.CASES", body))["name"])
