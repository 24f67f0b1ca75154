"""Rules about people and proposed decisions: links hold once, and nobody decides about themself."""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules.trail import LEEWAY, Proposal, Rules, Trail
from shared.events import people
from shared.events.base import CaseEvent
from shared.events.people import OF_DECISIONS, OF_PEOPLE
from shared.events.shifts import OF_SHIFTS, WordsErased


def _added(_trail: Trail, _data: people.PersonAdded, event: CaseEvent[Any]) -> Iterator[str]:
    if event.caseversion != 1:
        yield "a person was added twice"


def _by_another(
    _trail: Trail,
    data: people.RoleGranted | people.RoleTaken | people.PersonSuspended | people.PersonResumed,
    event: CaseEvent[Any],
) -> Iterator[str]:
    if f"{OF_PEOPLE}{data.by}" == event.subject:
        yield "somebody decided about themself"


def _seen(_trail: Trail, data: people.SignaturesSeen, event: CaseEvent[Any]) -> Iterator[str]:
    if f"{OF_PEOPLE}{data.by}" != event.subject:
        yield "somebody looked at signatures for somebody else"


def _offered(trail: Trail, data: people.EnrolmentOffered, event: CaseEvent[Any]) -> Iterator[str]:
    if f"{OF_PEOPLE}{data.by}" == event.subject:
        yield "somebody offered themself a link"
    if data.token_hash in trail.links:
        yield "a link was offered twice"
    trail.links = {**trail.links, data.token_hash: data.expires_at}


def _registered(trail: Trail, data: people.KeyRegistered, event: CaseEvent[Any]) -> Iterator[str]:
    until = trail.links.get(data.token_hash)
    if until is None:
        yield "a key was registered by a link that was not offered, or is used up"
    elif event.time > until + LEEWAY:
        yield "a key was registered by a link that was over"
    trail.links = {}  # With a key every other link is over.


def _link_over(trail: Trail, data: people.EnrolmentExpired, _event: CaseEvent[Any]) -> None:
    left = (one for one in trail.links.items() if one[0] != data.token_hash)
    trail.links = dict(left)


def _used(trail: Trail, data: people.BreakGlassUsed, _event: CaseEvent[Any]) -> Iterator[str]:
    if data.step <= trail.last_step:
        yield "a code was accepted twice"
    trail.last_step = data.step


def _set(trail: Trail, _data: people.BreakGlassSet, _event: CaseEvent[Any]) -> None:
    trail.last_step = -1  # Another secret has other codes.


def _proposed(trail: Trail, data: people.DecisionProposed, event: CaseEvent[Any]) -> Iterator[str]:
    if event.caseversion != 1:
        yield "a decision was proposed twice"
    trail.proposal = Proposal(data.signature.person, data.expires_at)


def _agreed(trail: Trail, data: people.DecisionAgreed, event: CaseEvent[Any]) -> Iterator[str]:
    proposal = trail.proposal
    if proposal is None or proposal.ended:
        yield "a decision was agreed to that does not wait"
        return
    if data.signature.person == proposal.by:
        yield "a decision was agreed to by whoever proposed it"
    if event.time > proposal.until + LEEWAY:
        yield "a decision was agreed to too late"
    trail.proposal = proposal._replace(ended=True, is_agreed=True)


def _over(
    trail: Trail, data: people.DecisionWithdrawn | people.DecisionExpired, _event: CaseEvent[Any]
) -> Iterator[str]:
    proposal = trail.proposal
    # What was refused though both signed is shown until somebody withdraws it.
    is_refused = proposal is not None and proposal.is_agreed and proposal.is_settled
    if is_refused and isinstance(data, people.DecisionWithdrawn):
        return
    if proposal is None or proposal.ended:
        yield "a decision ended that does not wait"
        return
    trail.proposal = proposal._replace(ended=True)


def _settled(
    trail: Trail,
    _data: people.DecisionCarriedOut | people.DecisionNotCarriedOut,
    _event: CaseEvent[Any],
) -> Iterator[str]:
    proposal = trail.proposal
    if proposal is None or not proposal.is_agreed:
        yield "a decision was carried out that nobody agreed to"
        return
    if proposal.is_settled:
        yield "a decision was carried out twice"
    trail.proposal = proposal._replace(is_settled=True)


def _words_erased(_trail: Trail, _data: WordsErased, event: CaseEvent[Any]) -> Iterator[str]:
    if not event.subject.startswith((OF_SHIFTS, OF_DECISIONS)):
        yield "words were erased in a log that is neither a shift's nor a decision's"


RULES: Rules = {
    people.PersonAdded: _added,
    people.RoleGranted: _by_another,
    people.RoleTaken: _by_another,
    people.PersonSuspended: _by_another,
    people.PersonResumed: _by_another,
    people.SignaturesSeen: _seen,
    people.EnrolmentOffered: _offered,
    people.EnrolmentExpired: _link_over,
    people.KeyRegistered: _registered,
    people.BreakGlassSet: _set,
    people.BreakGlassUsed: _used,
    people.DecisionProposed: _proposed,
    people.DecisionAgreed: _agreed,
    people.DecisionWithdrawn: _over,
    people.DecisionExpired: _over,
    people.DecisionCarriedOut: _settled,
    people.DecisionNotCarriedOut: _settled,
    WordsErased: _words_erased,
}
