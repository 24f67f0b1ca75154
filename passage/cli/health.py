"""`passage health`: whether services answer, and whether everything can be stored."""

import asyncio
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.printing import print_json, print_table
from passage.runner.health import KEYHOLDER, QUERY, READY, states_of
from passage.runner.storing import storing_state
from passage.running import find_running, settings_of_environment

STORING = "storing"
SERVICES = (KEYHOLDER, "intake", "verification", "handover", "desk", "witness", QUERY)


def health_verb(
    service: Annotated[str | None, typer.Argument(help="One service; all if not given.")] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Ask the services whether they are ready; exit code 5 if one isn't."""
    if service is not None and service not in SERVICES:
        raise VerbEndedError(
            Exit.USAGE, f"there is no service {service!r}; one of {', '.join(SERVICES)}"
        )
    running = find_running(data)
    asked = SERVICES if service is None else (service,)
    note = settings_of_environment().sealed_file if KEYHOLDER in asked else None
    states = asyncio.run(states_of(running, asked, note))
    if service is None:
        states[STORING] = asyncio.run(storing_state(running, folders_of(data)))
    ready = {name: state == READY for name, state in states.items()}
    if as_json:
        print_json(ready)
    else:
        print_table("Health", ("service", "state"), states.items())
    if not all(ready.values()):
        raise typer.Exit(Exit.UNAVAILABLE)
