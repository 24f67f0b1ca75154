"""`passage up`: the whole system on this machine, until Ctrl-C."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, DataDir
from passage.enrolling import Enrolled, enrolled
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of, locked, require_free
from passage.install.comparing import print_provisioned
from passage.install.installation import ensure_keys
from passage.integrity.passing import pass_gate
from passage.printing import err, out, print_table
from passage.runner.children import die_with_parent
from passage.runner.planning import (
    USUAL_HTTP,
    USUAL_NATS,
    check_certificate,
    endpoints_of,
    planned,
    supervisor_of,
)
from passage.runner.serving import served_at
from passage.runner.supervising import Supervisor
from passage.runner.waiting_for_servers import provisioned
from passage.running import (
    WITNESS_FILE,
    WITNESS_VARIABLE,
    Running,
    forget_running,
    settings_of_environment,
    witnesses_of,
)
from services.verification.registry_store import remove_drafts

DEMO_CASES = 24

HttpOption = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of API and pages; off loopback it needs a certificate.",
        show_default=f"{USUAL_HTTP}, or a free port",
    ),
]
NatsOption = Annotated[
    str | None,
    typer.Option(help="HOST:PORT of nats-server.", show_default=f"{USUAL_NATS}, or a free port"),
]
WitnessOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--witness",
        help="File for checkpoints of the log, ideally on another disk; may be repeated.",
        show_default=f"{WITNESS_VARIABLE}, or DIR.witness/{WITNESS_FILE}",
    ),
]


ONE_HAND = (
    "demo and training only: two supervisors' keys lie on this machine, so that one person can "
    "sign what takes two (docs/operating.md)"
)


def up_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    http: HttpOption = None,
    nats: NatsOption = None,
    witness: WitnessOption = None,
    enrol: Annotated[
        bool,
        typer.Option(
            "--enrol",
            help="For demo and training only, as two supervisors' keys are then in one hand: while "
            "nobody is a supervisor, enrol whoever runs this, and the demo's people.",
        ),
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Also play invented cases; with --enrol.")
    ] = False,
) -> None:
    """Start nats-server and the services, watch them, and stop them all on Ctrl-C."""
    folders = folders_of(data)
    require_free(folders)
    # Whatever can refuse the start is checked before any folder is made.
    http_endpoint, nats_endpoint = endpoints_of(http, nats)
    check_certificate(folders, nats_endpoint)
    settings = settings_of_environment()
    served = served_at(folders, http_endpoint, settings)
    witnesses = witnesses_of(folders, witness or ())
    folders.make()
    with locked(folders):
        forget_running(folders.data)  # A killed runner left its own addresses there.
        remove_drafts(folders.registry)  # A killed load left names in the clear.
        ensure_keys(folders)
        running = planned(folders, served, nats_endpoint, witnesses)
        supervisor = supervisor_of(folders, running, served, nats_endpoint, _gate, settings)
        asyncio.run(_run(supervisor, enrol=enrol or demo, demo=demo))


async def _run(supervisor: Supervisor, *, enrol: bool, demo: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stopping.set)
    player: Process | None = None
    watching = asyncio.create_task(supervisor.stores.run())
    try:
        await supervisor.start_nats()
        if not supervisor.stopping.is_set():
            await supervisor.start_services()
            await supervisor.wait_until_ready()
        if not supervisor.stopping.is_set():
            _print_endpoints(supervisor)
            if enrol:
                print_people(await enrolled(supervisor.running))
            player = await _play_demo(supervisor.folders) if demo else None
            await supervisor.supervise()
    finally:
        watching.cancel()
        if player is not None and player.returncode is None:
            player.kill()
        supervisor.stop()
        forget_running(supervisor.folders.data)


async def _gate(running: Running) -> str:
    """Provisions and runs the gate; returns the log's incarnation. Raises VerbEndedError."""
    done = await provisioned(running)
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
            ("queue and cases", running.site),
            ("API", f"{running.site}/api/cases"),
            ("API description", f"{running.site}/openapi.json"),
            ("health", f"{running.site}/readyz"),
            ("log (NATS)", running.nats),
            ("data folder", folders.data),
            ("key files", folders.keys),
            ("logs", folders.logs),
            ("log of nats-server", supervisor.nats.log_path),
            ("checkpoints", ", ".join(str(path) for path in running.witnesses)),
        ),
    )


def print_people(people: Enrolled | None) -> None:
    if people is None:
        err.print("people were added before: log in with `passage login`")
        return
    rows = [("you, supervisor and operator", people.account)]
    if people.others:
        rows.append(("the demo's people", ", ".join(people.others)))
    err.print(ONE_HAND)
    print_table("Who acts here; `--as` names another", ("who", "account"), rows)
    if people.link is not None:
        out.print("For the pages, register a passkey within a day, once, at", soft_wrap=True)
        out.print(people.link, soft_wrap=True)


async def _play_demo(folders: Folders) -> Process:
    command = ("-m", "passage", "demo", "--data", str(folders.data), "--cases", str(DEMO_CASES))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent(),
    )
