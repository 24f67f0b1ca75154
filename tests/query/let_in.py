"""Sessions without a server: whoever a test lets in is known by the token that it gets."""

from dataclasses import dataclass, field, replace

from services.query.context import Context
from services.query.logins.known import Caller, NotKnown
from shared.people.roles import Role
from shared.people.sessions import SessionKind


@dataclass
class LetIn:
    """Keeps the promises of `Logins`."""

    callers: dict[str, Caller | NotKnown] = field(default_factory=dict)

    def let_in(self, account: str, *roles: Role, kind: SessionKind = "passkey") -> dict[str, str]:
        """The headers with which a request is this person's."""
        token = f"token-of-{account}-{len(self.callers)}"
        self.callers[token] = Caller(account, frozenset(roles), kind, f"session-{account}")
        return {"authorization": f"Bearer {token}"}

    async def caller(self, token: str) -> Caller | NotKnown:
        return self.callers.get(token, "unknown")


def letting_in(context: Context, account: str, *roles: Role) -> tuple[Context, dict[str, str]]:
    """The context with somebody logged in, and the headers of their requests."""
    logins = LetIn()
    return replace(context, logins=logins), logins.let_in(account, *roles)
