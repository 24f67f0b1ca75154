"""Who may do what: the one table of roles, by command and by view.

What the table doesn't name nobody may do. `tests/query/test_roles.py` walks commands and routes.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import get_args

from shared.events.people import Role

__all__ = ["ROLES", "Role", "may", "may_by", "roles_for"]

ROLES: tuple[Role, ...] = get_args(Role)
"""operator takes calls; verifier judges identity; coordinator arranges rendezvous and handover;
supervisor answers for the people and the alarms; auditor reads accesses and statistics, no case;
integration is a machine's, for what has no personal values."""


TAKING_CALLS = frozenset[Role]({"operator", "verifier", "coordinator", "supervisor"})
VERIFYING = frozenset[Role]({"verifier", "supervisor"})
ARRANGING = frozenset[Role]({"coordinator", "supervisor"})
SUPERVISING = frozenset[Role]({"supervisor"})
LISTING: frozenset[Role] = TAKING_CALLS | {"integration"}
AUDITING = frozenset[Role]({"auditor", "supervisor"})
WATCHING = frozenset[Role]({"supervisor", "integration"})
EVERYBODY: frozenset[Role] = frozenset(ROLES)

_COMMANDS: Mapping[frozenset[Role], str] = {
    TAKING_CALLS: """
        TriageCall DeclareSurrender ProvidePersonalData IssueReturnCode ConfirmCaller AddNote
        CloseCase ReopenCase OpenOtherCase GiveAdvice SetContactRule SendMessage
        ClaimCase TakeOverCase ReleaseCase SetFollowUp
        FormGroup JoinGroup LeaveGroup CountHeads LinkCases UnlinkCases
        StartShift HandOverShift AcceptShiftCase EndShift
        CheckRegistry EscalateVerification ContradictIdentity OpenReview
        RecordArrival GiveGuidance RecordMissed RecordContactLost RecordContactRegained
        WithdrawExchangeConsent WithdrawPublicityConsent
        ErasePersonalData
        ProposeDecision AgreeToDecision WithdrawDecision
    """,
    VERIFYING: "VerifyIdentity RejectIdentity AssessCredibility ResolveReview",
    ARRANGING: """
        PlanRendezvous ApproveRendezvous DiscloseRendezvous ReplanRendezvous CancelRendezvous
        UseEmergencyOverride
        OfferHandover AcceptHandover RefuseHandover WithdrawHandover RecordHandover
        RecordGroupHandover ResolveDiscrepancy
        RecordCustody ConfirmCaptureCard OfferExchange GiveExchangeConsent RecordExchange
        GivePublicityConsent
        RecordExport
    """,
    SUPERVISING: """
        ClearDuress TakeUpParked SetParkedAside
        AddPerson GrantRole TakeRole OfferEnrolment SuspendPerson ResumePerson
        IssueToken RevokeToken
    """,
    EVERYBODY: "SetBreakGlass RevokeKey EndSessions SeeSignatures",
}
OWN = frozenset({"SetBreakGlass", "RevokeKey", "EndSessions", "SeeSignatures"})
"""About oneself; about somebody else only from a supervisor, and some from nobody else at all."""
ONLY_OWN = frozenset({"SetBreakGlass", "SeeSignatures"})
"""What nobody does for somebody else, a supervisor neither."""

BY_OTHER_ROUTES = frozenset({"Enrol", "LogInByBreakGlass", "ReportAttempts"})
"""What query sends by itself, before there is a session or without one: nobody gives these."""

_VIEWS: Mapping[frozenset[Role], str] = {
    TAKING_CALLS: """
        GET /api/cases/{case_id}
        GET /api/cases/{case_id}/links
        GET /api/cases/{case_id}/outbox
        POST /api/cases/{case_id}/reveal
        POST /api/candidates
        POST /api/search
        GET /api/groups/{group_id}
        GET /api/shifts
        GET /api/shifts/{shift_id}
        POST /api/shifts/{shift_id}/reveal
        GET /api/exports
        GET /api/exports/{export_id}
        GET /api/decisions
        POST /api/decisions/{decision_id}/open
        POST /api/decisions/{decision_id}/agree
        POST /api/signing
        GET /
        GET /cases/{case_id}
        POST /search
    """,
    LISTING: """
        GET /api/cases
        GET /api/queue
        GET /api/waiting
        GET /api/live
        GET /api/receipts
        GET /api/overdue
        GET /api/parked
    """,
    ARRANGING: "POST /api/exports",
    AUDITING: """
        GET /api/accesses
        GET /api/cases/{case_id}/accesses
        GET /audit
    """,
    WATCHING: "GET /metrics",
    EVERYBODY: """
        GET /api/statistics
        GET /api/statistics/calls
        GET /api/statistics/funnel
        GET /api/me
        GET /api/me/signatures
        POST /api/me/authenticator
        POST /api/me/sessions/{session}/end
        POST /api/session/lock
        GET /me
    """,
    SUPERVISING: """
        GET /api/alarms
        GET /api/people
        GET /api/people/{account}
        POST /api/people/{account}/reveal
        GET /supervise/people
        GET /supervise/people/{account}
        POST /api/budgets/{account}/release
        POST /api/parked/{sequence}/read
        POST /api/parked/{sequence}/retry
        GET /parked
    """,
}
"""By method and path. A view that a page and the API share stands here twice."""

OPEN = frozenset({"GET /livez", "GET /readyz", "GET /version"}) | {
    "GET /login",
    "GET /enrol/{link}",
    "POST /api/login/passkey/options",
    "POST /api/login/passkey",
    "POST /api/login/break-glass",
    "POST /api/login/key/options",
    "POST /api/login/key",
    "POST /api/enrol/options",
    "POST /api/enrol/passkey",
    "POST /api/enrol/key",
    "POST /api/session/end",
}
"""For everyone, without a session: nothing about a case or a person is in them."""

NO_PAGES = frozenset[Role]({"integration"})


COMMANDS: Mapping[str, frozenset[Role]] = MappingProxyType(
    {name: roles for roles, names in _COMMANDS.items() for name in names.split()}
)
VIEWS: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        view: roles
        for roles, views in _VIEWS.items()
        for view in map(str.strip, views.strip().splitlines())
    }
)

CALL_COMMANDS = frozenset(_COMMANDS[TAKING_CALLS].split()) - {
    *("ErasePersonalData", "ProposeDecision", "AgreeToDecision", "WithdrawDecision")
}
READING = frozenset(VIEWS) - {
    "POST /api/exports",
    "POST /api/signing",
    "POST /api/decisions/{decision_id}/agree",
    "POST /api/budgets/{account}/release",
    "POST /api/parked/{sequence}/retry",
}
"""Besides views, what a person may do who logged in by break-glass: read, and take calls."""


def roles_for(act: str) -> frozenset[Role]:
    """The roles that may give a command, or see a view named by method and path."""
    return COMMANDS.get(act) or VIEWS.get(act) or frozenset()


def may(roles: Collection[Role], act: str) -> bool:
    """Whether somebody with these roles may do it; what the table doesn't name nobody may."""
    return not roles_for(act).isdisjoint(roles)


def may_by(kind: str, act: str) -> bool:
    """Whether this way of logging in is enough: break-glass changes nothing but calls."""
    return kind != "break_glass" or act in READING or act in CALL_COMMANDS
