"""verification's deciders for the registry's answers: its rows of the guard table."""

from services.verification.guards import IDENTITY_CLAIMED, require_latest
from services.verification.state import Statement, VerificationState
from shared.events import verification
from shared.events.base import CaseEvent, Event
from shared.events.fields import Plain
from shared.refusals import CASE_KNOWN, RefusedError, require

CONFLICTS_TO_CONTRADICT = 2


def decide_registry_answer(
    state: VerificationState, answer: verification.RegistryChecked
) -> list[Event]:
    """A fact, whatever became of the case meanwhile."""
    require(state.opened, CASE_KNOWN)
    return [answer]


def decide_consequence(
    state: VerificationState, answered: CaseEvent[verification.RegistryChecked]
) -> list[Event]:
    """What follows from an answer: nothing on a match, a contradiction, or a person must look.

    Nothing follows once the registry has answered again about the same data. After verification
    the decision stands: an answer against it opens a review.
    """
    answer = answered.data
    if state.statement is None or answer.about_event != state.statement.event_id:
        return []
    if answer.outcome == "match" or answered.caseversion < state.answered_at:
        return []
    if state.verified is not None:
        known = answered.caseversion < state.verified.version
        return _after_verified(answered, known=known)
    if _contradicts(answer):
        return [
            verification.IdentityContradicted(
                fields=answer.fields_conflicting,
                reason=Plain(f"registry {answer.registry}"),
                registry=answer.registry,
            )
        ]
    return [verification.VerificationEscalated(reason=answer.outcome)]


def _after_verified(
    answered: CaseEvent[verification.RegistryChecked], *, known: bool
) -> list[Event]:
    answer = answered.data
    # Whoever verified him knew the answer; and a missing one says nothing about the man.
    if answer.outcome == "unavailable" or (known and not _contradicts(answer)):
        return []
    return [
        verification.ReviewOpened(
            reason="late_fact" if known else "answer_after_verified",
            fields=answer.fields_conflicting,
            about_event=answered.id,
        )
    ]


def _contradicts(answer: verification.RegistryChecked) -> bool:
    """One field may be anyone's slip: beside the right number, two must contradict."""
    conflicts = len(answer.fields_conflicting)
    is_his_number = "service_number" in answer.fields_agreeing
    enough = 1 if answer.number_of_another else CONFLICTS_TO_CONTRADICT
    return is_his_number and conflicts >= enough


def statement_to_check(state: VerificationState) -> Statement:
    """The guards of asking the registry again; the handler asks."""
    require_latest(state)
    if state.statement is None:
        raise RefusedError(IDENTITY_CLAIMED)
    return state.statement
