"""verification's wiring: what it listens to, and which handler answers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from services.verification import CLAIMS, DUE, SERVICE, handlers
from services.verification.handlers import Verification
from services.verification.registry import Registry, SqliteRegistry, remove_drafts
from services.verification.state import VerificationState, evolve
from services.verification.waiting import Waits
from shared.case_log import Fold
from shared.commands.verification import CheckRegistry
from shared.own_process import own_process, run_to_end
from shared.secret_files import own_settings
from shared.service import Assemble, Service, assemble
from shared.settings import Settings


def wire(
    settings: Settings, put_together: Assemble = assemble, registry: Registry | None = None
) -> Service:
    """Gives verification, ready to run; it asks the settings' registry file if no other."""
    service = put_together(SERVICE, Fold(VerificationState(), evolve), settings)
    waits = Waits(
        answer=timedelta(minutes=settings.registry_answer_minutes),
        overdue=timedelta(hours=settings.registry_overdue_hours),
    )
    deadlines = handlers.deadlines_of(service.desk, service.timers(), waits)
    asked = registry or SqliteRegistry(settings.registry_file)
    verification = Verification(service.desk, asked, deadlines)
    bus = service.bus
    service.at_start.append(deadlines.set_anew)
    service.at_start.append(partial(_tidy, settings))
    bus.consume(CLAIMS, partial(handlers.receive_event, verification))
    bus.consume(DUE, deadlines.receive)
    for command_type in handlers.DECISIONS:
        bus.command(command_type, partial(handlers.carry_out, verification))
    bus.command(CheckRegistry, partial(handlers.check_registry, verification))
    return service


def _tidy(settings: Settings) -> None:
    """What a killed load left beside the registry holds names in the clear."""
    remove_drafts(settings.registry_file)


def main(registry: Registry | None = None) -> None:
    """Runs verification until it is told to stop; for the registry see `wire`."""
    own_process(SERVICE)
    run_to_end(wire(own_settings(), registry=registry).run())
