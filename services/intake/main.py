"""intake's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

import asyncio
from functools import partial

from services.intake import CALLS, SERVICE, handlers
from services.intake.decisions import IntakeState, evolve
from services.intake.durability import Durability
from services.intake.handlers import Intake
from services.intake.routing import Index
from shared import subjects
from shared.case_log import Fold
from shared.commands.intake import IssueReturnCode, ProvidePersonalData
from shared.own_process import own_process
from shared.service import Service, assemble
from shared.settings import Settings


def wire(settings: Settings) -> Service:
    """Gives intake, ready to run."""
    service = assemble(SERVICE, Fold(IntakeState(), evolve), settings)

    def is_closed(case_id: str) -> bool:
        return bool(service.log.load_current(case_id).state.closed_as)

    intake = Intake(service.desk, Index(service.bucket(subjects.INDEX_BUCKET), is_closed))
    bus = service.bus
    durability = Durability(service.log.connection, settings)
    bus.ready_only_if(durability.is_assured)
    bus.consume(CALLS, durability.guarded(partial(handlers.receive_call, intake)))
    for command_type in handlers.DECISIONS:
        bus.command(command_type, partial(handlers.carry_out, intake))
    bus.command(ProvidePersonalData, partial(handlers.provide_personal_data, intake))
    bus.command(IssueReturnCode, partial(handlers.issue_return_code, intake))
    return service


def main() -> None:
    """Runs intake until it is told to stop."""
    own_process(SERVICE)
    asyncio.run(wire(Settings()).run())
