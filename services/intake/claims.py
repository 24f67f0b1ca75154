"""intake's deciders for who works on a case: its rows of the guard table about claims.

A claim is a lease of some minutes with a fencing token, which counts the holders. Every service
refuses a command with an older fence (`shared.log.fencing`).
"""

from datetime import datetime

from services.intake.guards import Rules, require_latest
from services.intake.state import IntakeState
from shared.commands.intake import ClaimCase, ReleaseCase, TakeOverCase
from shared.events.base import Event
from shared.events.claims import CaseClaimed, CaseReleased, ClaimBasis
from shared.events.event_of import event_of
from shared.refusals import CASE_KNOWN, Guard, require

UNCLAIMED = Guard("unclaimed", "a case nobody is working on; or take it over, with a reason")
HELD_BY_ANOTHER = Guard("held_by_another", "a case that someone else holds; claim a free one")
HELD_BY_YOU = Guard("held_by_you", "a case that you hold")
REMARK_GIVEN = Guard("remark_given", "a remark that says why the case is skipped")


def decide_claim(
    state: IntakeState, command: ClaimCase, now: datetime, rules: Rules
) -> list[Event]:
    """Grants a lease. Renews one's own; refuses while another's runs."""
    require_latest(state)
    is_renewal = state.claim.runs_at(now) and state.claim.is_held_by(command.by)
    require(is_renewal or not state.claim.runs_at(now), UNCLAIMED)
    basis: ClaimBasis = "renewal" if is_renewal else "free"
    return [_claimed(state, command, now + rules.lease, basis)]


def decide_take_over(
    state: IntakeState, command: TakeOverCase, now: datetime, rules: Rules
) -> list[Event]:
    """Another person takes over; the previous holder's commands are refused from now on."""
    require_latest(state)
    is_held = state.claim.holder is not None
    require(is_held and not state.claim.is_held_by(command.by), HELD_BY_ANOTHER)
    return [_claimed(state, command, now + rules.lease, "takeover")]


def _claimed(
    state: IntakeState, command: ClaimCase | TakeOverCase, lease_until: datetime, basis: ClaimBasis
) -> CaseClaimed:
    lease = {"operator": command.by, "lease_until": lease_until, "basis": basis}
    fence = state.claim.fence if basis == "renewal" else state.claim.fence + 1
    return event_of(CaseClaimed, command, **lease, fence=fence)


def decide_release(state: IntakeState, command: ReleaseCase) -> list[Event]:
    """By the holder; nothing if no lease is held."""
    require(state.opened, CASE_KNOWN)
    if state.claim.lease_until is None:
        return []
    require(state.claim.is_held_by(command.by), HELD_BY_YOU)
    require(command.reason != "skipped" or command.remark is not None, REMARK_GIVEN)
    return [event_of(CaseReleased, command, operator=command.by, fence=state.claim.fence)]


def decide_lease_over(state: IntakeState) -> list[Event]:
    """The lease ran out without renewal."""
    claim = state.claim
    if claim.holder is None or claim.lease_until is None:  # Its end is in the log already.
        return []
    return [CaseReleased(operator=claim.holder, fence=claim.fence, reason="expired")]
