"""Buckets on three servers: a key written on one is found on every other, at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from passage.install.provisioning import provision
from services.keyholder.ring import KeyRing
from shared import subjects
from shared.events.fields import PersonalClass
from shared.jetstream.buckets import Bucket, TakenError
from shared.jetstream.connection import Connection
from shared.keys.sealing import DataKey
from tests.contexts import secrets
from tests.examples import CASE, OTHER_CASE
from tests.nats_cluster import NatsCluster
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

KEYS = 3_000


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    cluster = NatsCluster(tmp_path)
    cluster.start()
    client = await nats.connect(cluster.servers[0].url)
    await provision(client, replicas=3)
    await client.close()
    yield cluster
    cluster.stop()


@pytest.fixture
def buckets(cluster: NatsCluster) -> Iterator[list[Bucket]]:
    connections = [Connection({"servers": [server.url]}) for server in cluster.servers]
    yield [Bucket(one, subjects.KEYS_BUCKET, 5.0) for one in connections]
    for one in connections:
        one.close()


@pytest.mark.wire
def test_no_key_just_written_is_missed_through_another_server(
    buckets: list[Bucket],
) -> None:
    def write_and_read(number: int) -> bool:
        writer, reader = buckets[number % 3], buckets[(number + 1) % 3]
        writer.create(f"key-{number}", b"value")
        return reader.get(f"key-{number}") is not None

    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(write_and_read, range(KEYS)))


def _public(keys: dict[PersonalClass, DataKey]) -> bytes:
    return b"".join(keys[name].private.public_key().public_bytes_raw() for name in sorted(keys))


@pytest.mark.wire
def test_one_writer_creates_a_key_and_all_agree_on_the_cases_data_key(
    buckets: list[Bucket],
) -> None:
    rings = [KeyRing(bucket, secrets()) for bucket in buckets]
    with ThreadPoolExecutor(3) as threads:
        for case in range(30):
            made = threads.map(KeyRing.for_sealing, rings, 3 * [f"CASE{case}"], 3 * [1], 3 * [""])
            assert len({_public(keys) for keys in made}) == 1
    with pytest.raises(TakenError):
        buckets[0].create("CASE0", b"another")


async def test_the_keys_of_the_case_first_kept_are_asked_for_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.keys.client.CASES_KEPT", 1)
    asked: asyncio.Queue[Msg] = asyncio.Queue()
    await site.client.subscribe(subjects.keyholder("seal", "intake"), cb=asked.put)
    await site.client.flush()
    keys, order = site.keys_of("intake"), (CASE, CASE, OTHER_CASE, CASE, CASE)
    made = [await asyncio.to_thread(keys.for_sealing, case_id, 1, "") for case_id in order]
    await asyncio.to_thread(keys.for_sealing, OTHER_CASE, 1, "")  # The last that is heard of.
    heard = [await asyncio.wait_for(asked.get(), WITHIN_S) for _ in range(4)]
    assert [json.loads(one.data)["case_id"] for one in heard] == [CASE, OTHER_CASE] * 2
    ids = [{name: one.key_id for name, one in keys.items()} for keys in made]
    assert ids[0] == ids[1] == ids[3] == ids[4]
