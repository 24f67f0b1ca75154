"""desk's deadlines: links and proposed decisions end by themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from services.desk.decision_state import words_erased
from services.desk.state import DeskState
from shared.events.base import Event
from shared.events.people import DecisionExpired, EnrolmentExpired
from shared.skeleton.due import Deadline, Due, Setting

LINK = "enrolment_link"
PROPOSAL = "proposed_decision"
CARRYING_OUT = "agreed_decision"
KINDS = {
    LINK: Deadline("EnrolmentOffered, until its link is used", "EnrolmentExpired", "enrolment"),
    PROPOSAL: Deadline(
        "DecisionProposed, until another person agrees", "DecisionExpired", "proposal"
    ),
    CARRYING_OUT: Deadline(
        "10 s after DecisionAgreed, until it is carried out or refused", "DecisionCarriedOut"
    ),
}
LEFT_TO_ANSWER = timedelta(seconds=10)
"""How long whoever signed second has for it before desk takes it up by itself."""


@dataclass(frozen=True, slots=True)
class Spans:
    enrolment: Annotated[timedelta, Setting("enrolment_hours")]
    proposal: Annotated[timedelta, Setting("proposal_minutes")]


def due_in(state: DeskState, spans: Spans) -> dict[str, datetime]:
    """By the time that each event fixed: a changed setting moves no link that was given out."""
    del spans
    due = {}
    links = state.person.enrolments.values()
    if links:
        due[LINK] = min(one.expires_at for one in links)
    decision = state.decision
    if decision is not None and decision.is_open:
        due[PROPOSAL] = decision.expires_at
    if decision is not None and decision.agreed_at and decision.waits_to_be_carried_out:
        due[CARRYING_OUT] = decision.agreed_at + LEFT_TO_ANSWER
    return due


def decide_due(state: DeskState, due: Due) -> list[Event]:
    if due.kind == PROPOSAL and state.decision is not None:
        return [DecisionExpired(), *words_erased(state.decision)]
    links = state.person.enrolments.values()
    over = (one for one in links if one.expires_at <= due.due_at)
    return [EnrolmentExpired(token_hash=one.token_hash) for one in over]
