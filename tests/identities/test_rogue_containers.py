"""Somebody stands beside a container, with every file it holds: he joins no cluster, reads neither
AUDIT nor KEYS, and records no other service's event.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.install.certificates import ROUTES, authority_of
from passage.install.host_names import IN_COMPOSE, Names
from passage.install.installation import make_installation
from passage.install.provisioning import provision
from passage.runner.endpoints import free_ports
from passage.running import Running
from shared.events.catalogue import CASE_EVENTS
from shared.policy import policy
from shared.servers.credentials import api_prefix, connect_options
from shared.subjects import KEEPER
from tests.identities.conftest import stored
from tests.identities.containers import HOST, OfCompose, Rogue, compose, held, pairs, routed_to
from tests.journey.system import until
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

CONTAINERS = tuple(compose()["services"])
SERVERS = IN_COMPOSE.nats
WITH_ALL_KEYS = {"init"}
"""It makes them, and has no network."""
KEEPERS = {"provision", "passage"}
"""They hold the keeper's seed, which has every right on the log; neither has a certificate."""
READ_BY = {"AUDIT": "AUDIT", "KV_KEYS": "KEYS"}
TRIED = ("query", "postgres", "server", "own", "none")
"""Certificates; `own` is of a thief's own making, `none` speaks without TLS."""


@dataclass
class Cluster:
    """The three servers of compose, which look for a fourth at an address that is free.

    As if a name of theirs led there.
    """

    keys: Path
    servers: list[OfCompose]
    vacant: int

    @property
    def running(self) -> Running:
        url = ",".join(one.url for one in self.servers)
        bare = Running.bare(url)
        return bare.model_copy(update={"keys": self.keys, "ca": authority_of(self.keys)})

    def rogue(self, folder: Path, pair: tuple[Path, Path] | None) -> Rogue:
        """A nats-server at the vacant address that dials the others as well."""
        port, http_port = free_ports(HOST, 2)
        routes = tuple(f"nats-route://{HOST}:{one.route_port}" for one in self.servers)
        return Rogue(
            folder,
            port=port,
            http_port=http_port,
            pair=pair,
            keys=self.keys,
            route_port=self.vacant,
            routes=routes,
        )

    def has_refused(self, before: list[int]) -> bool:
        """Whether each server refused a route more than once since `before`."""
        now = [one.handshakes_refused() for one in self.servers]
        return all(later > one + 1 for later, one in zip(now, before, strict=True))


async def _fill(cluster: Cluster) -> None:
    async with connected(cluster.running) as keeper:
        done = await provision(keeper, replicas=3)
        assert all(one.is_usable for one in done)
        await keeper.request("audit.0F0000000001", b"who opened what", timeout=WITHIN_S)
        await keeper.request("$KV.KEYS.0F0000000001", b"wrapped", timeout=WITHIN_S)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("compose")
    keys = folder / "keys"
    make_installation(keys, Names((HOST, *IN_COMPOSE.nats), IN_COMPOSE.query, IN_COMPOSE.postgres))
    ports = free_ports(HOST, 3 * len(SERVERS) + 1)
    clients, http, routes, vacant = ports[:3], ports[3:6], ports[6:9], ports[9]
    urls = tuple(f"nats-route://{HOST}:{port}" for port in routes)
    servers = [
        OfCompose(
            folder / name,
            port=clients[number],
            name=name,
            http_port=http[number],
            keys=keys,
            route_port=routes[number],
            routes=urls,
        )
        for number, name in enumerate(SERVERS)
    ]
    made = Cluster(keys, servers, vacant)
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.launch()
        for server in servers:
            others = {*SERVERS} - {server.name}
            until(lambda one=server, names=others: routes_of(one) == names, "all have routes")  # type: ignore[misc]
        until(lambda: _is_filled(made), "the log is provisioned")
        for server in servers:  # Only now: they wait for one another at their first start.
            server.reload_routes((*urls, f"nats-route://{HOST}:{vacant}"))
        yield made


def routes_of(server: OfCompose | Rogue) -> set[str]:
    try:
        return routed_to(server)
    except OSError:
        return set()


def _is_filled(cluster: Cluster) -> bool:
    try:
        asyncio.run(_fill(cluster))
    except VerbEndedError:  # There is no leader yet.
        return False
    return True


async def tried_by(rogue: Rogue, forged: str) -> list[str]:
    """What a rogue server's own user reads in the account that holds the log; and he writes."""
    client = await nats.connect(rogue.url, user=rogue.name, password=rogue.name)
    answered = []
    for stream in READ_BY:
        try:
            body = json.dumps({"seq": 1}).encode()
            answer = await client.request(f"$JS.API.DIRECT.GET.{stream}", body, timeout=WITHIN_S)
            answered.append((answer.headers or {}).get("Nats-Subject", ""))
        except NoRespondersError:
            continue
    await client.publish(forged, b"{}")
    await client.flush()
    await client.close()
    return answered


async def is_stored(cluster: Cluster, subject: str) -> bool:
    async with connected(cluster.running) as keeper:
        return bool(await stored(keeper, "CASES", subject))


def forged_event() -> str:
    return f"cases.0F{uuid4().hex[:10].upper()}.1.IdentityVerified"


def pair_of(cluster: Cluster, name: str, folder: Path) -> tuple[Path, Path] | None:
    if name == "none":
        return None
    if name == "own":  # With all the names and uses that the real one has.
        make_installation(folder / "own", Names((HOST, *SERVERS)))
        return ROUTES.certificate(folder / "own"), ROUTES.key(folder / "own")
    return (cluster.keys / "tls" / f"{name}.pem", cluster.keys / "tls" / f"{name}.key")


def test_every_certificate_that_a_container_could_show_is_tried(cluster: Cluster) -> None:
    shown = {
        name: set(pairs(held(name, cluster.keys)))
        for name in CONTAINERS
        if name not in {*SERVERS, *WITH_ALL_KEYS}
    }
    assert {name: its for name, its in shown.items() if its} == {
        "query": {"query"},
        "postgres": {"postgres"},
    }
    assert set.union(*shown.values()) < set(TRIED)


@pytest.mark.parametrize("name", TRIED)
def test_who_has_it_gets_no_route(cluster: Cluster, tmp_path: Path, name: str) -> None:
    rogue = cluster.rogue(tmp_path / "rogue", pair_of(cluster, name, tmp_path))
    before = [one.handshakes_refused() for one in cluster.servers]
    forged = forged_event()
    rogue.launch()
    try:
        until(lambda: cluster.has_refused(before) or bool(routes_of(rogue)), "it was answered")
        assert not routes_of(rogue)
        assert asyncio.run(tried_by(rogue, forged)) == []
        assert all(rogue.name not in routes_of(one) for one in cluster.servers)
    finally:
        rogue.stop()
    assert not asyncio.run(is_stored(cluster, forged))


def test_with_the_routes_own_key_it_would_be_let_in(cluster: Cluster, tmp_path: Path) -> None:
    # That the others are refused for their certificates, and for nothing else.
    rogue = cluster.rogue(tmp_path / "rogue", pair_of(cluster, "routes", tmp_path))
    forged = forged_event()
    rogue.launch()
    try:
        until(lambda: routes_of(rogue) == {*SERVERS}, "it has routes")
        both = ["audit.0F0000000001", "$KV.KEYS.0F0000000001"]
        until(lambda: asyncio.run(tried_by(rogue, forged)) == both, "it reads what it likes")
    finally:
        rogue.stop()
    until(lambda: asyncio.run(is_stored(cluster, forged)), "its event is stored")


@pytest.mark.parametrize("container", [one for one in CONTAINERS if one not in WITH_ALL_KEYS])
def test_with_the_nkey_of_a_container_nothing_of_anothers_is_read_or_written(
    cluster: Cluster, container: str
) -> None:
    seeds = [path for path in held(container, cluster.keys).values() if path.suffix == ".nk"]
    if container in KEEPERS:
        assert [path.stem for path in seeds] == [KEEPER]
        return
    of_channel = ["channel-phone", "outbox-phone"]
    assert sorted(path.stem for path in seeds) in ([], [container], of_channel)
    for seed in seeds:
        asyncio.run(_try_with(cluster, seed))


async def _try_with(cluster: Cluster, seed: Path) -> None:
    rights = policy().services.get(seed.stem)
    own = set(rights.records) if rights else set()
    reads = {*rights.reads, *rights.buckets} if rights else set()
    forged = [
        f"cases.0F{uuid4().hex[:10].upper()}.1.{one}" for one in CASE_EVENTS if one not in own
    ]
    asked = [
        f"{api}.{verb}.{stream}"
        for stream, name in READ_BY.items()
        if name not in reads
        for api in {"$JS.API", api_prefix(seed.stem)}
        for verb in ("STREAM.MSG.GET", "DIRECT.GET", "STREAM.INFO", "CONSUMER.CREATE")
    ]
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error))

    client = await nats.connect(
        cluster.running.nats.split(","),
        error_cb=on_error,
        **connect_options(seed, authority_of(cluster.keys)),
    )
    for subject in (*forged, *asked):
        await client.publish(subject, b'{"seq": 1}', reply=f"_INBOX_{seed.stem}.x")
    async with asyncio.timeout(WITHIN_S):
        while len(refused) < len(forged) + len(asked):
            await client.flush(WITHIN_S)
    await client.close()
    for subject in forged[:1]:
        assert not await is_stored(cluster, subject)


def test_without_an_nkey_nobody_is_let_in(cluster: Cluster) -> None:
    async def enter() -> None:
        options = connect_options(None, authority_of(cluster.keys))
        client = Client()
        await client.connect(cluster.servers[0].url, allow_reconnect=False, **options)

    with pytest.raises(NatsError, match="Authorization Violation"):
        asyncio.run(enter())
