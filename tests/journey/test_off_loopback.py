"""`passage up` on an address that isn't loopback's: by TLS, under its certificate's name."""

import subprocess
import sys
from pathlib import Path

import httpx
import psutil

from passage.runner.endpoints import free_port
from passage.running import pinning
from tests.elsewhere import own_address
from tests.journey.system import System, until

NAME = "desk.passage.example"


def test_people_are_let_in_from_other_machines_by_tls_and_verbs_work(tmp_path: Path) -> None:
    keys, host = tmp_path / "data.keys", own_address()
    made = ("init", str(keys), "--query", NAME)
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "passage", *made], check=True, stdout=subprocess.DEVNULL
    )
    port = free_port(host)
    with System(tmp_path / "data", http=f"{host}:{port}") as system:
        running = system.running
        assert (running.http, running.site) == (f"https://{host}:{port}", f"https://{NAME}:{port}")
        said, link = tmp_path / "data.up.log", f"https://{NAME}:{port}/enrol/"
        until(lambda: link in said.read_text("utf-8"), "the link leads to the site")
        assert all(system.json("health").values())
        assert system.json("case", "list")["items"] == []
        assert "operator" in system.json("login")["roles"]
        others = {
            connection.laddr.port
            for process in system.processes()
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.ip != "127.0.0.1"
        }
        assert others == {port}
        believed = pinning(keys / "tls" / "query.pem")
        foreign = httpx.get(
            f"{running.http}/livez",
            verify=believed,
            trust_env=False,
            headers={"host": "rebound.example"},
        )
        assert foreign.status_code == 421
