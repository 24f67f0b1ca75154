"""What verification does automatically after an event."""

from functools import partial

from services.verification.handlers import Verification, answer_about
from services.verification.registry_checks import decide_consequence, decide_registry_answer
from services.verification.state import statement_in
from shared.events.base import CaseEvent
from shared.events.intake import CaseReopened, PersonalDataProvided
from shared.events.verification import RegistryChecked
from shared.log.transact import Outcome, transact
from shared.skeleton.reactions import Reactions, set_timers


def ask_registry(
    verification: Verification, event: CaseEvent[PersonalDataProvided]
) -> Outcome | None:
    """Records the registry's answer about the personal data in an event.

    A prisoner's statement isn't checked: it is kept apart from what the hotline was told.
    """
    context = verification.context
    if event.data.provenance == "after_capture":
        return None
    statement = statement_in(event, event.data)
    answer = answer_about(verification, event.subject, statement)
    decide = partial(decide_registry_answer, answer=answer)
    return transact(context.writer, event.subject, context.cause_in(event), decide)


def act_on_answer(verification: Verification, event: CaseEvent[RegistryChecked]) -> Outcome:
    context = verification.context
    decide = partial(decide_consequence, answered=event)
    return transact(context.writer, event.subject, context.cause_in(event), decide)


REACTIONS: Reactions = {
    # The timers first: they reveal a registry that doesn't answer.
    PersonalDataProvided: (set_timers, ask_registry),
    RegistryChecked: (act_on_answer,),
    CaseReopened: (set_timers,),
}
