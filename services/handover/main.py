"""handover's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

import asyncio
from functools import partial

from services.handover import SERVICE, handlers
from services.handover.state import HandoverState, evolve
from shared.case_log import Fold
from shared.own_process import own_process
from shared.service import Assemble, Service, assemble
from shared.settings import Settings


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    """Gives handover, ready to run."""
    service = put_together(SERVICE, Fold(HandoverState(), evolve), settings)
    for command_type in handlers.DECISIONS:
        service.bus.command(command_type, partial(handlers.carry_out, service.desk))
    return service


def main() -> None:
    """Runs handover until it is told to stop."""
    own_process(SERVICE)
    asyncio.run(wire(Settings()).run())
