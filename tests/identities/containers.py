"""What each container of docker-compose.yml holds, and its nats-servers, on loopback."""

import json
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml
from typing_extensions import override

from passage.install.installation import accounts_of
from passage.runner.nats_server import NatsServer
from tests.passage.compose import FILE, ROOT, interpolated
from tests.waiting import WITHIN_S

HOST = "127.0.0.1"
ROGUE = "rogue"


@cache
def compose() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def held(container: str, keys: Path) -> dict[str, Path]:
    """Every file of the key folder that a container gets, by its path in the key folder."""
    service = compose()["services"][container]
    named = [one if isinstance(one, str) else one["source"] for one in service.get("secrets", ())]
    mounted = [one for one in service.get("volumes", ()) if "PASSAGE_KEYS" in one]
    given = [compose()["secrets"][name]["file"] for name in named]
    given += [
        one.rpartition("}")[0] + "}" + one.rpartition("}")[2].split(":")[0] for one in mounted
    ]
    paths = [Path(interpolated(one, {"PASSAGE_KEYS": str(keys)})) for one in given]
    files = [path for one in paths for path in ((one, *one.rglob("*")) if one.is_dir() else (one,))]
    return {str(path.relative_to(keys)): path for path in files if path.is_file()}


def pairs(files: Mapping[str, Path]) -> dict[str, tuple[Path, Path]]:
    """The certificates among a container's files whose private key it holds as well."""
    found = {}
    for name, path in files.items():
        key = name.replace(".pem", ".key")
        if path.suffix == ".pem" and key in files:
            found[path.stem] = (path, files[key])
    return found


@dataclass
class OfCompose(NatsServer):
    """A nats-server with deploy/nats.conf, its addresses and files replaced by those of here."""

    keys: Path = Path()
    http_port: int = 0
    route_port: int = 0
    routes: tuple[str, ...] = ()

    @override
    def config_text(self) -> str:
        text = (ROOT / "deploy" / "nats.conf").read_text(encoding="utf-8")
        routes = ", ".join(json.dumps(one) for one in self.routes)
        replaced = {
            "$NATS_NAME": self.name,
            "$NATS_STORE_MAX": "32GB",
            "$NATS_SYNC": "always",
            "0.0.0.0:4222": f"{HOST}:{self.port}",
            "0.0.0.0:6222": f"{HOST}:{self.route_port}",
            "127.0.0.1:8222": f"{HOST}:{self.http_port}",
            '"/data"': json.dumps(str(self.store_path)),
            "/run/secrets/": f"{self.keys}/tls/",
            'include "../../run/secrets/accounts.conf"': "",
        }
        text = re.sub(r"routes: \[[^]]*\]", f"routes: [{routes}]", text)
        for old, new in reversed(replaced.items()):
            text = text.replace(old, new)
        return f"{text}\nlog_file: {json.dumps(str(self.log_path))}\n{accounts_of(self.keys)}"

    def reload_routes(self, routes: tuple[str, ...]) -> None:
        """Has the running server look for others at these addresses."""
        self.routes = routes
        (self.data_dir / "nats.conf").write_text(self.config_text(), encoding="utf-8")
        assert self.pid is not None
        os.kill(self.pid, signal.SIGHUP)

    def handshakes_refused(self) -> int:
        """How often it refused a route for its certificate, not the other side."""
        text = self.log_path.read_text(encoding="utf-8")
        return len(re.findall("TLS route handshake error: (?!remote error)", text))


@dataclass
class Rogue(NatsServer):
    """A nats-server of somebody who has a container's files.

    It believes every certificate of the installation, and a user of his own has every right in the
    log's account.
    """

    pair: tuple[Path, Path] | None = None
    keys: Path = Path()
    http_port: int = 0
    route_port: int = 0
    routes: tuple[str, ...] = ()
    name: str = field(default=ROGUE)

    @override
    def config_text(self) -> str:
        tls = ""
        if self.pair is not None:
            certificate, key = (json.dumps(str(path)) for path in self.pair)
            believed = self.data_dir / "believed.pem"
            real = (path.read_text() for path in (self.keys / "tls").glob("*.pem"))
            believed.write_text("".join(real), encoding="utf-8")
            ca = json.dumps(str(believed))
            tls = f"tls {{ cert_file: {certificate}, key_file: {key}, ca_file: {ca} }}"
        return f"""
            server_name: {self.name}
            listen: "{HOST}:{self.port}"
            http: "{HOST}:{self.http_port}"
            log_file: {json.dumps(str(self.log_path))}
            cluster {{
              name: passage
              listen: "{HOST}:{self.route_port}"
              routes: {json.dumps(self.routes)}
              {tls}
            }}
            accounts {{
              PASSAGE {{ users: [{{user: {ROGUE}, password: {ROGUE}}}] }}
              SYS {{ users: [{{user: system, password: {ROGUE}}}] }}
            }}
            system_account: SYS
        """


def routed_to(server: OfCompose | Rogue) -> set[str]:
    """The names of the servers that a server has a route to."""
    url = f"http://{HOST}:{server.http_port}/routez"
    with urlopen(url, timeout=WITHIN_S) as answer:
        return {one.get("remote_name", "") for one in json.load(answer)["routes"] or ()}
