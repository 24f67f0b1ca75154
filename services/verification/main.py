"""verification's wiring: what it listens to, and which handler answers."""

from functools import partial

from services.verification import CASES, DUE, SERVICE, handlers
from services.verification.deadlines import KINDS, Spans, decide_due, due_in
from services.verification.handlers import Verification
from services.verification.reactions import REACTIONS
from services.verification.registry import Registry, SqliteRegistry
from services.verification.registry_store import remove_drafts
from services.verification.state import VerificationState, evolve
from shared.bus.timers import Timers
from shared.commands.verification import CheckRegistry
from shared.diagnostics.own_process import own_process, run_to_end
from shared.log.case_log import Fold
from shared.settings import Settings
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.due import spans_of
from shared.skeleton.own_settings import own_settings
from shared.skeleton.reactions import react
from shared.skeleton.service import Assemble, Context, Service, assemble


def wire(
    settings: Settings, put_together: Assemble = assemble, registry: Registry | None = None
) -> Service:
    """Without `registry`, asks the registry file in the settings."""
    service = put_together(SERVICE, Fold(VerificationState(), evolve), settings)
    deadlines = deadlines_of(service.context, service.timers(), spans_of(Spans, settings))
    asked = registry or SqliteRegistry(settings.registry_file)
    verification = Verification(service.context, asked, deadlines)
    bus = service.bus
    bus.consume(CASES, partial(react, REACTIONS, verification))
    bus.consume(DUE, deadlines.receive)
    for command_type in handlers.DECIDERS:
        bus.command(command_type, partial(handlers.carry_out, verification))
    bus.command(CheckRegistry, partial(handlers.check_registry, verification))
    service.at_start.append(deadlines.set_anew)
    service.at_start.append(partial(_tidy, settings))
    return service


def deadlines_of(context: Context, timers: Timers, spans: Spans) -> Deadlines[VerificationState]:
    return Deadlines(context, timers, KINDS, partial(due_in, spans=spans), decide_due)


def _tidy(settings: Settings) -> None:
    """A draft left by a killed load holds names in the clear."""
    remove_drafts(settings.registry_file)


def main(registry: Registry | None = None) -> None:
    own_process(SERVICE)
    run_to_end(wire(own_settings(), registry=registry).run())
