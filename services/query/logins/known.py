"""Who a token belongs to, as a request finds it."""

from dataclasses import dataclass
from typing import Literal, Protocol

from shared.people.roles import Role
from shared.people.sessions import Over, SessionKind

NotKnown = Literal["unknown"] | Over
"""Why a token lets nobody in: no session has it (any more), it was unused for too long, it was
ended or its key revoked, its person locked it, or its person is suspended."""


@dataclass(frozen=True)
class Caller:
    """A person, or a machine, that is logged in; `session` is the hash of its token."""

    account: str
    roles: frozenset[Role]
    kind: SessionKind
    session: str


class Logins(Protocol):
    async def caller(self, token: str) -> Caller | NotKnown:
        """Raises NobodyAnswersError if sessions or people can't be asked now."""
        ...
