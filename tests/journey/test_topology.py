"""The topology of docker-compose.yml as processes: three nats-servers, R3, PostgreSQL, services.

Every process gets the environment that the file gives its container, with addresses replaced.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from passage.install.definitions import SERVICES
from passage.install.host_names import Names
from passage.install.installation import accounts_of, make_installation, server_tls
from passage.runner.children import ServiceProcess
from passage.runner.endpoints import free_port
from tests.journey.system import until
from tests.nats_cluster import NatsCluster, postgres, routes_tls
from tests.passage.compose import ROOT, interpolated, read_compose
from tests.waiting import WITHIN_S


@dataclass
class Topology:
    """The processes' environment; `passage` verbs find the system by it, as in a container."""

    environments: dict[str, dict[str, str]]

    def verb(self, *arguments: str) -> Any:
        done = self._run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def is_well(self, service: str) -> bool:
        probed = subprocess.run(  # noqa: S603 - our own script
            [str(ROOT / "deploy" / "probe.sh")],
            env={**os.environ, **self.environments[service]},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return probed.returncode == 0

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "passage", *arguments, "--json"],
            env={**os.environ, **self.environments["passage"]},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )


def environments(folder: Path, nats_url: str, postgres_url: str) -> dict[str, dict[str, str]]:
    """Each container's environment of the file, for processes on this machine."""
    http, keys = f"127.0.0.1:{free_port('127.0.0.1')}", folder / "keys"
    here = {
        "PASSAGE_NATS_URL": nats_url,
        "PASSAGE_KEYS_DIR": str(keys),
        "PASSAGE_REGISTRY_FILE": str(folder / "registry.db"),
        "PASSAGE_DATABASE_URL": postgres_url,
        "PASSAGE_HTTP": http,
        "PASSAGE_WITNESS_FILES": str(folder / "witness" / "checkpoints.jsonl"),
        "PASSAGE_SEALED_FILE": str(folder / "sealed"),
    }
    found = {}
    secrets = {
        f"/run/secrets/{name}": interpolated(secret.file, {"PASSAGE_KEYS": str(keys)})
        for name, secret in read_compose().secrets.items()
    }
    for name, service in read_compose().services.items():
        given = {key: interpolated(value, {}) for key, value in service.environment.items()}
        placed = {key: secrets.get(value, value) for key, value in given.items()}
        found[name] = {key: here.get(key, value) for key, value in placed.items()}
        found[name]["PASSAGE_HEALTH_FILE"] = str(folder / f"{name}.health")
    found["passage"]["PASSAGE_HTTP_URL"] = f"https://{http}"
    found["passage"]["PASSAGE_PEOPLE"] = str(folder / "people")
    return found


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Topology]:
    keys = tmp_path / "keys"
    make_installation(keys, Names(nats=("127.0.0.1",), query=("query",), postgres=("postgres",)))
    with ExitStack() as stack:
        cluster = stack.enter_context(
            NatsCluster(
                tmp_path / "cluster",
                extra_config=accounts_of(keys),
                tls=server_tls(keys),
                routes_tls=routes_tls(keys),
            )
        )
        url = stack.enter_context(postgres())
        found = Topology(environments(tmp_path, cluster.url, url))
        assert found.environments["provision"]["PASSAGE_REPLICAS"] == "3"
        found.verb("provision", "--gate", "--wait", "180")
        for name in SERVICES:
            environment = {**os.environ, **found.environments[name]}
            process = ServiceProcess(name, environment, tmp_path / f"{name}.log")
            process.launch()
            stack.callback(process.end_by, 0)
            stack.callback(process.ask_to_stop)
        yield found


def test_a_call_goes_end_to_end(topology: Topology) -> None:
    for service in SERVICES:
        until(partial(topology.is_well, service), f"{service} is well by its container's probe")
    supervised = ("--role", "supervisor", "--role", "operator")
    link = topology.verb("operator", "add", "olena", *supervised)["link"]
    assert topology.verb("login", "--link", link)["account"] == "olena"
    topology.verb("call", "--channel", "phone", "--from", "+70001234567", "--text", "вымысел")
    until(lambda: bool(topology.verb("case", "list")["items"]), "the call is a case")
    case_id = topology.verb("case", "list")["items"][0]["case_id"]
    answer = topology.verb("do", "DeclareSurrender", "--case", case_id)
    assert answer["result"] == "recorded"
    shown = partial(topology.verb, "case", "show", case_id)
    until(lambda: shown()["case"]["progress"] == "declared", "what was declared is shown")
    checked = topology.verb("verify")
    assert (checked["errors"], checked["cases"]) == (0, 1)
    assert {one["state"] for one in topology.verb("provision")} == {"as defined"}
