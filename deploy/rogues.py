"""A step of the drill: a rogue beside each container, on each of its networks.

It has all the container's files, and tries to join the cluster, to read AUDIT or KEYS, to record
another service's event, and to enter the database. deploy/attempts.py says how; this file says what
the results must be. The counter-proof leaves an event in the log, so play it last.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from containers import SERVERS, SERVICES, DrillFailedError, Site, until
from rogue_places import NATS, Ground, Rogue

STOPPED = "nats-2"
BESIDE = (*SERVERS, *SERVICES, "channel")
"""Not provision and passage, which are the keeper's and have every right; init has no network."""
STREAMS = ("AUDIT", "KV_KEYS")
AT_ONCE = 4
PORTS = (4222, 5432, 6222, 8080, 8222)
SERVERS_PORTS = {f"{one}:{port}" for one in NATS for port in (4222, 6222)}
WITH_SERVERS = ("log", "channels")
OPEN = {
    "log": SERVERS_PORTS | {"query:8080"},
    "channels": SERVERS_PORTS,
    "database": {"postgres:5432", "query:8080"},
    "front": {"query:8080"},
}
"""What anybody on the network can reach. Behind query:8080 only who is logged in gets an answer."""
UNREACHED = {"ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "no answer"}
SHUT = "Router connection closed"
UNDIALLED = "Error trying to connect to route"
SAID_BY_POSTGRES = {
    "without TLS": "no pg_hba.conf entry",
    "as postgres": "no pg_hba.conf entry",
    "into another database": "no pg_hba.conf entry",
    "as superuser": "42501",
    "into postgres's role": "42501",
    "by a program": "42501",
}


def require(holds: bool, what: str) -> None:
    if not holds:
        raise DrillFailedError(f"a rogue container: {what}")


def task_of(ground: Ground, rogue: Rogue) -> dict[str, Any]:
    reaches_log = rogue.network in WITH_SERVERS
    dialled = [one for one in NATS if one != rogue.alias]
    sign = SHUT if reaches_log else UNDIALLED
    servers = [{**one, "sign": sign, "times": len(dialled)} for one in rogue.servers]
    gateway = ground.gateway(rogue.network)
    port = int(ground.site.environment["PASSAGE_PORT"])
    return {
        "servers": servers,
        "dialled": dialled,
        "nats": [f"nats://{one}:4222" for one in dialled] if reaches_log else [],
        "pairs": [one for one in ground.pairs(rogue.service) if one != "routes"],
        "postgres": rogue.network == "database",
        "hosts": {**dict.fromkeys((*SERVERS, *SERVICES), PORTS), gateway: (port,)},
    }


def judge_servers(rogue: Rogue, found: dict[str, Any]) -> None:
    """Raises DrillFailedError unless each rogue nats-server was refused."""
    place = f"beside {rogue.service} on {rogue.network}"
    for name, came_of in found["servers"].items():
        require(came_of["decided"], f"{place}: no sign that the route of `{name}` was refused")
        require(not came_of["routes"], f"{place}: `{name}` has routes to {came_of['routes']}")
        require(not came_of["read"], f"{place}: `{name}` reads {came_of['read']}")


def judge(rogue: Rogue, found: dict[str, Any]) -> tuple[int, int, int]:
    """Counts refused routes, requests and statements. Raises DrillFailedError if one wasn't."""
    place = f"beside {rogue.service} on {rogue.network}"
    judge_servers(rogue, found)
    for pair, said in found["shown"].items():
        require("ALERT" in said.upper(), f"{place}: {pair}: {said!r} isn't a refusal")
    for name, came_of in found["seeds"].items():
        told = f"{came_of['violations']} of {came_of['tried']} refused"
        require(came_of["violations"] == came_of["tried"], f"{place}: with {name}.nk: {told}")
    if rogue.network in WITH_SERVERS:
        bare = found["bare"]
        require("Authorization Violation" in bare, f"{place}, without an nkey: {bare}")
    for way, said in found["postgres"].items():
        require(SAID_BY_POSTGRES[way] in said, f"{place}: PostgreSQL, {way}: {said}")
    reached = {name for name, what in found["reached"].items() if what not in UNREACHED}
    expected = OPEN[rogue.network]
    require(reached == expected, f"{place}: reaches {sorted(reached ^ expected)} or not")
    routes = len(found["servers"]) + len(found["shown"])
    asked = sum(came_of["tried"] for came_of in found["seeds"].values()) + bool(found["bare"])
    return routes, asked, len(found["postgres"])


def forged_by(found: dict[str, Any]) -> list[str]:
    came_of = (*found["servers"].values(), *found["seeds"].values())
    return [one for its in came_of for one in its["forged"]]


def try_new_servers(ground: Ground) -> tuple[list[int], list[str]]:
    """A rogue beside each container, on each network, under a name of its own."""

    def tried(place: tuple[str, str]) -> tuple[Rogue, dict[str, Any]]:
        rogue = ground.start(ground.rogue(*place))
        return rogue, ground.attempt(rogue, task_of(ground, rogue))

    places = [(one, network) for one in BESIDE for network in ground.networks(one)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        results = list(threads.map(tried, places))
    counts = [len(results), *map(sum, zip(*(judge(*one) for one in results), strict=True))]
    for server in NATS:
        refused = Counter(address for address, _ in ground.refused(server))
        for rogue, found in results:
            if rogue.network in WITH_SERVERS:
                said = f"{server} refused {refused[rogue.address]} routes beside {rogue.service}"
                require(refused[rogue.address] >= len(found["servers"]), said)
    ground.remove()
    return counts, [one for _, found in results for one in forged_by(found)]


def try_in_its_place(ground: Ground) -> int:
    """Rogues with the name of a server that is down: the others connect to them."""
    kinds = (("query", "query"), ("nats-1", "server"), ("witness", "own"), ("witness", "none"))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        rogues = list(
            threads.map(
                lambda one: ground.start(ground.rogue(one[0], "log", STOPPED, one[1])), kinds
            )
        )
    others = [one for one in NATS if one != STOPPED]

    def dialled_and_refused() -> bool:
        said = [set(ground.refused(one)) for one in others]
        return all((one.address, "6222") in its for one in rogues for its in said)

    until(dialled_and_refused, f"{others} dial each rogue `{STOPPED}` and refuse it")
    for rogue in rogues:
        count = ground.routes_of(rogue)
        require(not count, f"in the place of {STOPPED}, with `{rogue.folder.name}`: {count} routes")
    ground.remove()
    return len(rogues)


def prove_the_counter(ground: Ground, forged: list[str]) -> None:
    """With routes.key and the keeper's seed the same attempts succeed."""
    rogue = ground.start(ground.rogue("nats-1", "log", STOPPED, "routes"))
    servers = [{**one, "wanted": len(NATS) - 1} for one in rogue.servers]
    came_of = ground.attempt(rogue, {"servers": servers})["servers"]["routes"]
    others = [one for one in NATS if one != STOPPED]
    require(came_of["routes"] == others, f"with routes.key its routes are {came_of['routes']}")
    require(came_of["read"] == list(STREAMS), f"with routes.key it reads {came_of['read']}")
    urls = [f"nats://{one}:4222" for one in others]
    asked = {"keeper": [*forged, *came_of["forged"]], "nats": urls}
    found = ground.attempt(rogue, asked, keeper=True)
    require(found["own"], "the keeper's own event isn't in CASES")
    require(found["read"] == list(STREAMS), f"the keeper reads {found['read']}")
    others_stored = sorted({*found["stored"]} - {*came_of["forged"]})
    require(not others_stored, f"of forged events are in CASES: {others_stored}")
    require(found["stored"] == came_of["forged"], "with routes.key its event isn't in CASES")
    ground.remove()


def stand_beside(site: Site, folder: Path) -> str:
    """Returns what was tried. Raises DrillFailedError."""
    ground = Ground(site, folder)
    try:
        (places, routes, asked, statements), forged = try_new_servers(ground)
        site.compose("stop", STOPPED)
        replaced = try_in_its_place(ground)
        prove_the_counter(ground, forged)
    finally:
        ground.remove()
        site.compose("start", STOPPED)
    return (
        f"rogue containers in {places} places, with all secrets of each: {routes} routes, "
        f"{replaced} more in the place of {STOPPED}, {asked} requests and {statements} ways into "
        "PostgreSQL are refused; with routes.key it joins"
    )
