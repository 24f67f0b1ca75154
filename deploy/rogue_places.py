"""A rogue beside a container: on one of its networks, with every file that it has.

It is made of two containers: rogue nats-servers, and deploy/attempts.py in their network.
"""

import json
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers import SERVERS, SERVICES, Site, docker

NATS = ("nats-1", "nats-2", "nats-3")
PASSAGE_IMAGE, NATS_IMAGE = "passage:0.1.0", "passage-nats:2.15.1"
USER = 10_001
AS_USER = f"--user={USER}:{USER}"
ATTEMPTS = Path(__file__).with_name("attempts.py")
REFUSED = re.compile(
    r"(\d+\.\d+\.\d+\.\d+):(\d+) - rid:\d+ - TLS route handshake error: (?!remote)"
)
CONFIGURATION = """
server_name: "{name}"
listen: "0.0.0.0:{port}"
http: "127.0.0.1:{http}"
log_file: "/rogue/{name}.log"
cluster {{
  name: passage
  listen: "0.0.0.0:{cluster}"
  routes: {routes}
  {tls}
}}
accounts {{
  PASSAGE {{ users: [{{user: rogue, password: rogue}}] }}
  SYS {{ users: [{{user: system, password: rogue}}] }}
}}
system_account: SYS
"""
START = "for one in /rogue/*.conf; do nats-server -c $one & done; wait"


@dataclass
class Rogue:
    """Two containers in one place: rogue nats-servers, and their user with all files."""

    service: str
    network: str
    folder: Path
    pairs: dict[str, tuple[str, str]]
    """The certificates with keys that its servers show, one each; and `none`, without TLS."""
    mounts: list[str]
    alias: str = ""
    address: str = ""
    container: str = ""
    servers: list[dict[str, Any]] = field(default_factory=list)

    def configure(self, dialled: tuple[str, ...]) -> None:
        self.folder.mkdir(mode=0o700)
        for number, (pair, files) in enumerate(self.pairs.items()):
            ca = '"/drill/believed.pem"'
            tls = f'tls {{ cert_file: "{files[0]}", key_file: "{files[1]}", ca_file: {ca} }}'
            place = {
                "name": pair,
                "port": 4301 + number,
                "http": 8301 + number,
                # A rogue with another server's name is dialled at that server's port.
                "cluster": 6222 if self.alias else 6301 + number,
                "routes": json.dumps([f"nats-route://{one}:6222" for one in dialled]),
                "tls": tls if all(files) else "",
            }
            text = CONFIGURATION.format(**place)
            (self.folder / f"{pair}.conf").write_text(text, encoding="utf-8")
            self.servers.append({"name": pair, "port": place["port"], "http": place["http"]})
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, USER, USER)


class Ground:
    """The site, seen by somebody who takes over one container after another."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder / "rogues"
        self.folder.mkdir(mode=0o700)
        os.chown(self.folder, USER, USER)
        self.began = str(int(time.time()))
        self.started: list[str] = []
        site.compose("--profile", "verbs", "create", "--no-recreate", "channel")
        found = json.loads(docker("inspect", *site.compose("ps", "-aq").stdout.split()))
        self.seen = {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}
        site.compose("--profile", "verbs", "rm", "--force", "channel")
        self._make_own()

    def _make_own(self) -> None:
        """A self-made certificate with all names and uses of the real one."""
        own = self.folder / "own"
        own.mkdir(mode=0o700)
        os.chown(own, USER, USER)
        where = ("--network=none", AS_USER, "-v", f"{own}:/own")
        docker("run", "--rm", *where, PASSAGE_IMAGE, "passage", "init", "/own")
        real = sorted((self.site.keys / "tls").glob("*.pem"))
        text = "".join(one.read_text(encoding="utf-8") for one in real)
        (self.folder / "believed.pem").write_text(text, encoding="utf-8")

    def mounts(self, service: str) -> list[str]:
        """All files that the service's container gets, read-only."""
        return [
            f"--volume={one.get('Name') or one['Source']}:{one['Destination']}:ro"
            for one in self.seen[service]["Mounts"]
        ]

    def pairs(self, service: str) -> dict[str, tuple[str, str]]:
        held = {one["Destination"] for one in self.seen[service]["Mounts"]}
        found = {}
        for certificate in sorted(held):
            key = certificate.replace(".pem", ".key")
            if certificate.endswith(".pem") and key in held:
                found[Path(certificate).stem] = (certificate, key)
        return found

    def networks(self, service: str) -> list[str]:
        named = self.seen[service]["NetworkSettings"]["Networks"]
        return sorted(one.removeprefix(f"{self.site.project}_") for one in named)

    def addresses(self, network: str) -> dict[str, str]:
        """Where each container is: on this network, or else on one of its own."""
        found = {}
        for service in (*SERVERS, *SERVICES):
            its = self.seen[service]["NetworkSettings"]["Networks"]
            here = its.get(f"{self.site.project}_{network}") or next(iter(its.values()))
            found[service] = here["IPAddress"]
        return found

    def gateway(self, network: str) -> str:
        shown = "{{(index .IPAM.Config 0).Gateway}}"
        named = f"{self.site.project}_{network}"
        return docker("network", "inspect", "--format", shown, named).strip()

    def rogue(self, service: str, network: str, alias: str = "", only: str = "") -> Rogue:
        """With all certificates of its container except `routes`, or with only one."""
        own = {"own": ("/drill/own/tls/routes.pem", "/drill/own/tls/routes.key"), "none": ("", "")}
        pairs = {**self.pairs(service), **own}
        wanted = {n: its for n, its in pairs.items() if (n == only if only else n != "routes")}
        folder = self.folder / (f"{service}-{network}-{only or 'all'}-{alias or 'new'}")
        return Rogue(service, network, folder, wanted, self.mounts(service), alias)

    def start(self, rogue: Rogue) -> Rogue:
        rogue.configure(tuple(one for one in NATS if one != rogue.alias))
        words = ["run", "--detach", AS_USER, "--entrypoint=sh"]
        words += [f"--network={self.site.project}_{rogue.network}", *rogue.mounts]
        words += [f"--network-alias={rogue.alias}"] if rogue.alias else []
        known = self.addresses(rogue.network).items()
        words += [f"--add-host={name}:{address}" for name, address in known]
        words += ["-v", f"{rogue.folder}:/rogue", "-v", f"{self.folder}:/drill:ro"]
        rogue.container = docker(*words, NATS_IMAGE, "-c", START).strip()
        self.started.append(rogue.container)
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        rogue.address = docker("inspect", "--format", shown, rogue.container).strip()
        return rogue

    def routes_of(self, rogue: Rogue) -> int:
        url = f"http://127.0.0.1:{rogue.servers[0]['http']}/routez"
        told = json.loads(docker("exec", rogue.container, "wget", "-qO-", url))
        return int(told["num_routes"])

    def remove(self) -> None:
        if self.started:
            docker("rm", "--force", "--volumes", *self.started)
            self.started.clear()

    def attempt(self, rogue: Rogue, task: dict[str, Any], keeper: bool = False) -> dict[str, Any]:
        """Runs the attempts in the rogue's place; returns their results."""
        mounts = self.mounts("provision") if keeper else rogue.mounts
        words = ["run", "--rm", AS_USER, "--entrypoint=python", *mounts]
        words += [f"--network=container:{rogue.container}", "-v", f"{rogue.folder}:/rogue"]
        words += ["-v", f"{ATTEMPTS}:/attempts.py:ro", PASSAGE_IMAGE, "/attempts.py"]
        found: dict[str, Any] = json.loads(docker(*words, json.dumps(task)))
        return found

    def refused(self, server: str) -> list[tuple[str, str]]:
        """Address and port of each peer that a nats-server refused a route, as often as it did."""
        words = ("logs", "--no-color", "--no-log-prefix", "--since", self.began, server)
        return REFUSED.findall(self.site.compose(*words).stdout)
