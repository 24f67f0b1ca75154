"""The closed catalogue of commands: name -> type. The command line and the API offer these."""

from __future__ import annotations

from shared.commands.base import Command
from shared.commands.handover import (
    AcceptHandover,
    ApproveRendezvous,
    DiscloseRendezvous,
    OfferHandover,
    PlanRendezvous,
    RecordArrival,
    RecordContactLost,
    RecordHandover,
    RecordMissed,
    RefuseHandover,
)
from shared.commands.intake import (
    AddNote,
    CloseCase,
    DeclareSurrender,
    ErasePersonalData,
    IssueReturnCode,
    ProvidePersonalData,
    ReopenCase,
    TriageCall,
)
from shared.commands.verification import (
    CheckRegistry,
    ContradictIdentity,
    EscalateVerification,
    RejectIdentity,
    VerifyIdentity,
)

COMMANDS: dict[str, type[Command]] = {
    command.__name__: command
    for command in (
        TriageCall,
        DeclareSurrender,
        ProvidePersonalData,
        IssueReturnCode,
        AddNote,
        CloseCase,
        ReopenCase,
        ErasePersonalData,
        CheckRegistry,
        EscalateVerification,
        VerifyIdentity,
        ContradictIdentity,
        RejectIdentity,
        RecordArrival,
        PlanRendezvous,
        ApproveRendezvous,
        DiscloseRendezvous,
        RecordMissed,
        OfferHandover,
        AcceptHandover,
        RefuseHandover,
        RecordHandover,
        RecordContactLost,
    )
}
