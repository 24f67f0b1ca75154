"""verification's decisions on who a man is: its rows of the guard table."""

from __future__ import annotations

from datetime import datetime

from services.verification.guards import (
    ANOTHER_THAN_CLAIMANT,
    IDENTITY_CLAIMED,
    NOT_REJECTED,
    TWO_SOURCES,
    require_not_handed_over,
)
from services.verification.state import VerificationState
from shared.commands.verification import (
    ContradictIdentity,
    EscalateVerification,
    RejectIdentity,
    VerifyIdentity,
)
from shared.events import verification
from shared.events.base import Event
from shared.events.fields import Plain
from shared.refusals import CASE_KNOWN, NO_CONTRADICTION, is_another_person, require


def decide_escalate(
    state: VerificationState, command: EscalateVerification, _now: datetime
) -> list[Event]:
    """An operator wants another person to look."""
    require(state.opened, CASE_KNOWN)
    return [verification.VerificationEscalated(reason="operator", remark=Plain(command.remark))]


def decide_verify(state: VerificationState, command: VerifyIdentity, _now: datetime) -> list[Event]:
    """Needs two agreeing sources, or a registry match plus an operator; no open contradiction.

    With a reason, two people can verify past a contradiction. The only operator who claimed the
    case can't verify, unless a life is at stake now.
    """
    require_not_handed_over(state)
    by_two = is_another_person(command.by, command.second_by)
    require(state.statement is not None, IDENTITY_CLAIMED)
    past_it = by_two and command.reason is not None
    require(state.contradicted_at is None or past_it, NO_CONTRADICTION)
    require(not state.rejected or by_two, NOT_REJECTED)
    require(_has_two_sources(state, command, by_two=by_two), TWO_SOURCES)
    require(
        by_two or state.life_now or not _is_only_claimant(state, command), ANOTHER_THAN_CLAIMANT
    )
    if state.verified:
        return []
    return [
        verification.IdentityVerified(
            basis=command.basis,
            by=command.by,
            second_by=command.second_by,
            reason=Plain(command.reason) if command.reason else None,
        )
    ]


def _has_two_sources(state: VerificationState, command: VerifyIdentity, *, by_two: bool) -> bool:
    return state.registry == "match" if command.basis == "registry_and_operator" else by_two


def _is_only_claimant(state: VerificationState, command: VerifyIdentity) -> bool:
    others = [one for one in state.claimants if is_another_person(one, command.by)]
    return bool(state.claimants) and not others


def decide_contradict(
    state: VerificationState, command: ContradictIdentity, _now: datetime
) -> list[Event]:
    """A fact. It opens a review if it is older than his verification."""
    require(state.opened, CASE_KNOWN)
    reason, happened_at = Plain(command.reason), command.happened_at
    verified = state.verified
    if verified is not None and happened_at is not None and happened_at < verified.at:
        return [verification.ReviewOpened(reason="late_fact", fields=command.fields, remark=reason)]
    return [verification.IdentityContradicted(fields=command.fields, reason=reason)]


def decide_reject(state: VerificationState, command: RejectIdentity, _now: datetime) -> list[Event]:
    """He isn't who he says."""
    require_not_handed_over(state)
    require(state.statement is not None, IDENTITY_CLAIMED)
    if state.rejected:
        return []
    return [
        verification.IdentityRejected(
            fields=command.fields, reason=Plain(command.reason), by=command.by
        )
    ]
