"""Whether the person who asks may ask that: by the table of roles, before a route runs.

And whether a case is theirs to know of: by their role and by who works on it.
"""

from collections.abc import Collection

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from services.query.models.case_row import RANK, CaseRow
from services.query.requests.caller import (
    Called,
    Caller,
    called,
    caller_known,
    not_your_role,
)
from services.query.requests.problems import ProblemError
from shared.events.fields import PersonalClass
from shared.events.people import log_of
from shared.people.roles import ONLY_OWN, OWN, Role, may, may_by, roles_for

OF_COMMANDS = "/api/commands/"

CLASSES: dict[Role, frozenset[PersonalClass]] = {
    "operator": frozenset({"identity", "location", "narrative"}),
    "verifier": frozenset({"identity", "narrative"}),
    "coordinator": frozenset({"identity", "location"}),
    "supervisor": frozenset({"identity", "location", "narrative"}),
}
"""Which personal values a role may see of a case that is theirs."""
UNDECIDED = frozenset({"claimed", "partial", "contradicted"})
"""States of an identity that a verifier has to decide on."""
ARRANGED_FROM = RANK["arrived"]


def act_of(request: Request) -> str:
    """What a request asks for, as the table of roles names it."""
    path: str = request.scope["route"].path
    if path.startswith(OF_COMMANDS):
        return path.removeprefix(OF_COMMANDS)
    return f"{request.method} {path}"


def require_may(caller: Caller, act: str) -> None:
    """Raises ProblemError 403."""
    if not may(caller.roles, act):
        raise not_your_role(roles_for(act))
    if not may_by(caller.kind, act):
        detail = "After logging in by password you may read and take calls; use a key for this."
        raise ProblemError(403, "not-by-break-glass", detail)


def require_own(caller: Caller, command: str, about: str) -> None:
    """Raises ProblemError 403 if a command about oneself is about another person."""
    if command not in OWN or about == log_of(caller.account):
        return
    if command in ONLY_OWN or not is_supervisor(caller):
        raise not_your_role(() if command in ONLY_OWN else ["supervisor"])


async def _may(request: Request, caller: Called) -> None:
    require_may(caller, act_of(request))


MAY = Depends(_may)
"""For every route that isn't open to all. Raises ProblemError 401 and 403."""


async def require_asker(request: Request) -> None:
    """For a fault that was found before a route's own check. Raises ProblemError 401 and 403."""
    if isinstance(request.scope.get("route"), APIRoute) and roles_for(act_of(request)):
        caller = caller_known(request) or await called(request, request.app.state.context)
        require_may(caller, act_of(request))


def is_supervisor(caller: Caller) -> bool:
    return "supervisor" in caller.roles


def require_need(caller: Caller, case: CaseRow, classes: Collection[PersonalClass]) -> None:
    """Raises ProblemError 403 unless these personal values of the case are theirs to know."""
    known = known_of(caller, case)
    if not known:
        detail = "Another's case: claim it, or take it over, and its values are yours to see."
        raise ProblemError(403, "not-your-case", detail, claimed_by=case.claimed_by)
    if not known.issuperset(classes):
        detail = f"Your role sees only these of the case: {', '.join(sorted(known))}."
        raise ProblemError(403, "not-your-values", detail, classes=sorted(known))


def known_of(caller: Caller, case: CaseRow) -> frozenset[PersonalClass]:
    """The classes of a case's values that this person may see now."""
    found = (CLASSES[role] for role in CLASSES if role in caller.roles and _has(role, caller, case))
    return frozenset().union(*found)


def _has(role: Role, caller: Caller, case: CaseRow) -> bool:
    """Whether somebody in this role has to do with the case."""
    if case.claimed_by == caller.account:
        return True
    match role:
        case "supervisor":
            return True
        case "verifier":
            return case.open and (case.escalated or case.identity in UNDECIDED)
        case "coordinator":
            return RANK[case.stage] >= ARRANGED_FROM
        case _:
            return False
