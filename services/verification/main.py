"""verification's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

import asyncio
from functools import partial

from services.verification import CLAIMS, SERVICE, handlers
from services.verification.decisions import VerificationState, evolve
from services.verification.handlers import Verification
from services.verification.registry import SqliteRegistry
from shared.case_log import Fold
from shared.commands.verification import CheckRegistry
from shared.own_process import own_process
from shared.service import Assemble, Service, assemble
from shared.settings import Settings


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    """Gives verification, ready to run."""
    service = put_together(SERVICE, Fold(VerificationState(), evolve), settings)
    verification = Verification(service.desk, SqliteRegistry(settings.registry_file))
    bus = service.bus
    bus.consume(CLAIMS, partial(handlers.receive_event, verification))
    for command_type in handlers.DECISIONS:
        bus.command(command_type, partial(handlers.carry_out, verification))
    bus.command(CheckRegistry, partial(handlers.check_registry, verification))
    return service


def main() -> None:
    """Runs verification until it is told to stop."""
    own_process(SERVICE)
    asyncio.run(wire(Settings()).run())
