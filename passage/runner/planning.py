"""What `passage up` will run and where: addresses, certificate, nats-server and the services."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.install.certificates import SERVER, authority_of
from passage.install.definitions import SERVICES
from passage.install.installation import accounts_of, server_tls
from passage.printing import err
from passage.runner.children import ServiceProcess
from passage.runner.endpoints import Endpoint, choose_endpoint
from passage.runner.health import QUERY
from passage.runner.nats_server import NatsServer
from passage.runner.serving import Served
from passage.runner.storing import folders_stored_in
from passage.runner.supervising import Supervisor
from passage.running import Running, stopped
from shared.keys.keyfiles import KeyFilesError
from shared.settings import Settings
from shared.site_names import is_loopback

USUAL_HTTP = Endpoint("127.0.0.1", 8080)
USUAL_NATS = Endpoint("127.0.0.1", 4222)


def endpoints_of(http: str | None, nats: str | None) -> tuple[Endpoint, Endpoint]:
    """The addresses of the API and of nats-server. Raises VerbEndedError if one can't be used."""
    http_endpoint, http_moved = choose_endpoint("--http", http, USUAL_HTTP)
    nats_endpoint, nats_moved = choose_endpoint("--nats", nats, USUAL_NATS, besides=http_endpoint)
    for moved, usual, chosen in (
        (http_moved, USUAL_HTTP, http_endpoint),
        (nats_moved, USUAL_NATS, nats_endpoint),
    ):
        if moved:
            err.print(f"{usual} is taken; using {chosen}")
    return http_endpoint, nats_endpoint


def check_certificate(folders: Folders, nats: Endpoint) -> None:
    """Raises VerbEndedError (1) if clients on the network can't check nats-server's certificate."""
    if is_loopback(nats.host):
        return
    host = nats.reached_at.host
    try:
        names = SERVER.names(folders.keys)
    except KeyFilesError:
        names = ()
    if host not in names:
        raise VerbEndedError(
            Exit.FAILED,
            f"the certificate tls/server.pem in {folders.keys} isn't good for {host}; move it and "
            f"server.key aside and make one with `passage init {folders.keys} --nats {host}`",
        )


def planned(
    folders: Folders, served: Served, nats: Endpoint, witnesses: tuple[Path, ...]
) -> Running:
    """A system that isn't ready yet."""
    where = {
        "http": served.url,
        "site": served.site,
        "pinned": served.certificate,
        "ready": False,
        "ca": None if is_loopback(nats.host) else authority_of(folders.keys),
        "witnesses": witnesses,
    }
    return stopped(folders, f"nats://{nats.reached_at}").model_copy(update=where)


def supervisor_of(
    folders: Folders,
    running: Running,
    served: Served,
    nats: Endpoint,
    gate: Callable[[Running], Coroutine[Any, Any, str]],
    settings: Settings,
) -> Supervisor:
    """The supervisor of a planned system; for `gate` see Supervisor."""
    return Supervisor(
        folders=folders,
        running=running,
        nats=NatsServer(
            data_dir=folders.nats,
            host=nats.host,
            port=nats.port,
            tls=None if running.ca is None else server_tls(folders.keys),
            extra_config=accounts_of(folders.keys),
        ),
        services=[
            ServiceProcess(name, _environment(folders, running, served, name), folders.log_of(name))
            for name in reversed(SERVICES)
        ],
        stopping=asyncio.Event(),
        gate=gate,
        stuck_after_s=settings.stuck_after_s,
    )


def _environment(
    folders: Folders, running: Running, served: Served, service: str
) -> dict[str, str]:
    credentials = {"PASSAGE_NATS_NKEY": running.nkey_of(service), "PASSAGE_NATS_CA": running.ca}
    own = {*credentials, "PASSAGE_HTTP_CERTIFICATE", "PASSAGE_HTTP_KEY"}
    return {
        **{name: value for name, value in os.environ.items() if name not in own},
        **{name: str(value) for name, value in credentials.items() if value is not None},
        "PASSAGE_NATS_URL": running.nats,
        "PASSAGE_REPLICAS": str(running.replicas),
        "PASSAGE_KEYS_DIR": str(running.keys),
        "PASSAGE_DATABASE_URL": running.database,
        "PASSAGE_REGISTRY_FILE": str(running.registry),
        "PASSAGE_SITE": served.site,
        **(served.environment if service == QUERY else {}),
        "PASSAGE_WITNESS_FILES": ",".join(str(path) for path in running.witnesses),
        "PASSAGE_WITNESS_ENDS": "true",
        "PASSAGE_DISKS": ",".join(map(str, folders_stored_in(folders, running.witnesses))),
        "PYTHONUNBUFFERED": "1",
    }
