"""intake's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from services.intake import CALLS, DUE, SERVICE, WAY_ENDS, erasing, handlers
from services.intake.durability import Durability
from services.intake.erasing import Erasure
from services.intake.handlers import Intake
from services.intake.routing import Index
from services.intake.state import IntakeState, evolve
from shared import subjects
from shared.case_log import Fold
from shared.commands.intake import ErasePersonalData, IssueReturnCode, ProvidePersonalData
from shared.own_process import own_process
from shared.service import Assemble, Service, assemble
from shared.settings import Settings


def wire(settings: Settings, put_together: Assemble = assemble) -> Service:
    """Gives intake, ready to run."""
    service = put_together(SERVICE, Fold(IntakeState(), evolve), settings)

    def is_closed(case_id: str) -> bool:
        return bool(service.log.load_current(case_id).state.closed_as)

    intake = Intake(service.desk, Index(service.bucket(subjects.INDEX_BUCKET), is_closed))
    erasure = Erasure(
        service.desk,
        service.timers(),
        retention=timedelta(days=settings.retention_days),
        location_retention=timedelta(hours=settings.location_retention_hours),
    )
    bus = service.bus
    durability = Durability(service.log.connection, settings)
    bus.ready_only_if(durability.is_assured)
    bus.consume(CALLS, durability.guarded(partial(handlers.receive_call, intake)))
    for command_type in handlers.DECISIONS:
        bus.command(command_type, partial(handlers.carry_out, intake))
    bus.command(ProvidePersonalData, partial(handlers.provide_personal_data, intake))
    bus.command(IssueReturnCode, partial(handlers.issue_return_code, intake))
    bus.consume(WAY_ENDS, partial(erasing.receive_event, erasure))
    bus.consume(DUE, partial(erasing.receive_timer, erasure))
    bus.command(ErasePersonalData, partial(erasing.erase, erasure))
    return service


def main() -> None:
    """Runs intake until it is told to stop."""
    own_process(SERVICE)
    asyncio.run(wire(Settings()).run())
