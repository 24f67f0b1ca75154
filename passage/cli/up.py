"""`passage up`: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Annotated

import typer

from passage.cli.gate import pass_gate
from passage.cli.options import DEFAULT_DATA_DIR, DataDir
from passage.cli.provision import print_provisioned
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of, locked, require_free
from passage.install.certificates import SERVER
from passage.install.definitions import SERVICES
from passage.install.installation import accounts_of, server_tls
from passage.install.keys import ensure_keys
from passage.install.provisioning import provision
from passage.install.quotas import Quota
from passage.integrity.witness_places import FILE_NAME as WITNESS_FILE
from passage.integrity.witness_places import VARIABLE as WITNESS_VARIABLE
from passage.integrity.witness_places import witnesses_of
from passage.printing import err, print_table
from passage.runner.children import ServiceProcess
from passage.runner.endpoints import Endpoint, choose_endpoint, is_loopback
from passage.runner.nats_server import NatsServer, die_with_parent
from passage.runner.storing import folders_stored_in
from passage.runner.supervising import Supervisor
from passage.running import Running, forget_running, settings_of_environment
from services.verification.registry import remove_drafts
from shared.keyfiles import KeyFilesError

USUAL_HTTP = Endpoint("127.0.0.1", 8080)
USUAL_NATS = Endpoint("127.0.0.1", 4222)
DEMO_CASES = 24

HttpOption = Annotated[
    str | None,
    typer.Option(
        "--http", help="HOST:PORT of API and pages.", show_default=f"{USUAL_HTTP}, or a free port"
    ),
]
NatsOption = Annotated[
    str | None,
    typer.Option(
        "--nats", help="HOST:PORT of nats-server.", show_default=f"{USUAL_NATS}, or a free port"
    ),
]
WitnessOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--witness",
        help="File for checkpoints of the log, best on another disk; may be repeated.",
        show_default=f"{WITNESS_VARIABLE}, or DIR.witness/{WITNESS_FILE}",
    ),
]


def up_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    http: HttpOption = None,
    nats: NatsOption = None,
    witness: WitnessOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Also play invented cases.")] = False,
) -> None:
    """Start nats-server and the services, watch them, and stop all on Ctrl-C."""
    folders = folders_of(data)
    require_free(folders)
    # Whatever would end it is looked at before anything is made: it leaves no folder behind.
    http_endpoint, nats_endpoint = _endpoints(http, nats)
    _check_certificate(folders, nats_endpoint)
    quota = Quota.of(settings_of_environment())
    witnesses = witnesses_of(folders, witness or ())
    folders.make()
    with locked(folders):
        forget_running(folders.data)  # What a killed runner left would name its addresses.
        remove_drafts(folders.registry)  # What a killed load left holds names in the clear.
        ensure_keys(folders)
        asyncio.run(_run(_plan(folders, http_endpoint, nats_endpoint, witnesses, quota), demo))


def _endpoints(http: str | None, nats: str | None) -> tuple[Endpoint, Endpoint]:
    http_endpoint, http_moved = choose_endpoint("--http", http, USUAL_HTTP)
    nats_endpoint, nats_moved = choose_endpoint(
        "--nats", nats, USUAL_NATS, with_tls=True, besides=http_endpoint
    )
    for moved, usual, chosen in (
        (http_moved, USUAL_HTTP, http_endpoint),
        (nats_moved, USUAL_NATS, nats_endpoint),
    ):
        if moved:
            err.print(f"{usual} is taken; using {chosen}")
    return http_endpoint, nats_endpoint


def _check_certificate(folders: Folders, nats: Endpoint) -> None:
    """Raises VerbEndedError (1) where clients on the network would not know nats-server by TLS."""
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


def _plan(
    folders: Folders, http: Endpoint, nats: Endpoint, witnesses: tuple[Path, ...], quota: Quota
) -> Supervisor:
    tls = server_tls(folders.keys)
    running = Running(
        nats=f"nats://{nats.reached_at}",
        http=f"http://{http}",
        keys=folders.keys,
        registry=folders.registry,
        database=folders.database_url,
        ready=False,
        ca=None if is_loopback(nats.host) else tls.ca,
        witnesses=witnesses,
        quota=quota,
    )
    return Supervisor(
        folders=folders,
        running=running,
        nats=NatsServer(
            data_dir=folders.nats,
            host=nats.host,
            port=nats.port,
            tls=None if is_loopback(nats.host) else tls,
            extra_config=accounts_of(folders.keys),
        ),
        services=[
            ServiceProcess(name, _environment(folders, running, http, name), folders.log_of(name))
            for name in reversed(SERVICES)
        ],
        stopping=asyncio.Event(),
        gate=_gate,
        stuck_after_s=settings_of_environment().stuck_after_s,
    )


def _environment(
    folders: Folders, running: Running, http: Endpoint, service: str
) -> dict[str, str]:
    """The environment of a service: this process's own, and where everything is."""
    credentials = {"PASSAGE_NATS_NKEY": running.nkey_of(service), "PASSAGE_NATS_CA": running.ca}
    return {
        **{name: value for name, value in os.environ.items() if name not in credentials},
        **{name: str(value) for name, value in credentials.items() if value is not None},
        "PASSAGE_NATS_URL": running.nats,
        "PASSAGE_REPLICAS": str(running.replicas),
        "PASSAGE_KEYS_DIR": str(running.keys),
        "PASSAGE_DATABASE_URL": running.database,
        "PASSAGE_REGISTRY_FILE": str(running.registry),
        "PASSAGE_HTTP": str(http),
        "PASSAGE_WITNESS_FILES": ",".join(str(path) for path in running.witnesses),
        "PASSAGE_WITNESS_ENDS": "true",
        "PASSAGE_DISKS": ",".join(map(str, folders_stored_in(folders, running.witnesses))),
        "PYTHONUNBUFFERED": "1",
    }


async def _run(supervisor: Supervisor, demo: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stopping.set)
    player: Process | None = None
    watching = asyncio.create_task(supervisor.stores.run())
    try:
        await _start(supervisor)
        if not supervisor.stopping.is_set():
            _print_endpoints(supervisor)
            player = await _play_demo(supervisor.folders) if demo else None
            await supervisor.supervise()
    finally:
        watching.cancel()
        if player is not None and player.returncode is None:
            player.kill()
        supervisor.stop()
        forget_running(supervisor.folders.data)


async def _start(supervisor: Supervisor) -> None:
    await supervisor.start_nats()
    if supervisor.stopping.is_set():
        return
    await supervisor.start_services()
    await supervisor.wait_until_ready()


async def _gate(running: Running) -> str:
    """The incarnation of a log that is provisioned and sound. Raises VerbEndedError."""
    async with connected(running) as client:
        done = await provision(client, running.replicas, quota=running.quota)
    for one in done:
        if one.state in {"moved", "unknown"}:
            err.print(f"{one.kind} {one.name}: {one.summary}")
    if not all(one.is_usable for one in done):
        print_provisioned(done)
        raise VerbEndedError(
            Exit.FAILED,
            "the log's definitions differ from this version's; see `passage provision --update`",
        )
    return await pass_gate(running)


def _print_endpoints(supervisor: Supervisor) -> None:
    running, folders = supervisor.running, supervisor.folders
    print_table(
        "Passage is running; Ctrl-C stops it",
        ("what", "where"),
        (
            ("queue and cases", running.http),
            ("API", f"{running.http}/api/cases"),
            ("API description", f"{running.http}/openapi.json"),
            ("health, metrics", f"{running.http}/readyz, {running.http}/metrics"),
            ("log (NATS)", running.nats),
            ("data folder", folders.data),
            ("key files", folders.keys),
            ("logs", folders.logs),
            ("log of nats-server", supervisor.nats.log_path),
            ("checkpoints", ", ".join(str(path) for path in running.witnesses)),
        ),
    )


async def _play_demo(folders: Folders) -> Process:
    command = ("-m", "passage", "demo", "--data", str(folders.data), "--cases", str(DEMO_CASES))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent(),
    )
