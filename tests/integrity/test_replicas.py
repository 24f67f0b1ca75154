"""Every server's copy of CASES is read, and a copy that differs is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from passage.connecting import connected
from passage.nats_cluster import NatsCluster
from passage.provisioning import ApiRefusedError, ask, provision
from passage.repairing.rebuild import store
from passage.verifying.findings import Findings
from passage.verifying.replicas_check import check_replicas
from tests.integrity.blocks import Record, message_folder, read_records, write_records
from tests.integrity.prepared import archived, some_log

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
        await store(client, [archived(one) for one in some_log(3, 10)], lambda _: None)


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
    server.stop(60)  # Killed earlier it leaves no index, and heals.
    folder = message_folder(server.store_path)
    records: list[Record] = read_records(folder)
    forged = records[at].body.replace(b"operator:amber", b"operator:green")
    records[at] = replace(records[at], body=forged)
    write_records(folder, records, index=True)  # Without its index it heals from the others.
    server.start(60)
    await current(cluster)


async def test_equal_copies_are_read_in_many_pulls_and_nothing_is_found(
    cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passage.verifying.replicas_check.BATCH_MESSAGES", 10)
    await filled(cluster)
    await current(cluster)
    assert await found(cluster) == (3, set())


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
