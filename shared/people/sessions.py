"""A session as the bucket SESSIONS keeps it, and for how long it holds.

Its key is the SHA-256 of its token, which nobody keeps but its owner. query alone writes it.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Literal

from shared.events.fields import Account, At
from shared.people.state import PersonState
from shared.written.models import Exact

SESSION_MAX_S = 43_200
"""How long a session holds at most, however much it is used."""
SESSION_SILENT_MAX_S = 900
"""A session that is used for nothing for longer is over."""
CHALLENGE_MAX_S = 120
"""How long a person has to touch their key."""
SEEN_EVERY_S = 60
"""How often at most a session's use is noted."""
TOKEN_BYTES = 32
OF_PERSON = re.compile(r"^[A-Za-z0-9_-]{43}$")
OF_MACHINE = re.compile(r"^([a-z][a-z0-9_]{1,38})\.[A-Za-z0-9_-]{43}$")

SessionKind = Literal["passkey", "break_glass", "key_file", "token"]
"""How its person logged in; `token` is a machine's, and has no entry in SESSIONS."""
Over = Literal["idle", "ended", "locked", "suspended"]


class Session(Exact):
    account: Account
    kind: SessionKind
    key_id: str | None = None
    """The key by which it began; with the key it ends."""
    ended_before: At | None = None
    """When the person's sessions were ended last, as their log said when it began. It is compared
    with what the log says later, so no clock but desk's own decides what was ended."""
    created_at: At
    seen_at: At
    is_locked: bool = False

    def over(self, person: PersonState, now: datetime) -> Over | None:
        """Why it lets nobody in, if so."""
        if person.suspended:
            return "suspended"
        if not self._is_of(person) or now - self.created_at > timedelta(seconds=SESSION_MAX_S):
            return "ended"
        if self.is_locked:
            return "locked"
        return "idle" if now - self.seen_at > timedelta(seconds=SESSION_SILENT_MAX_S) else None

    def _is_of(self, person: PersonState) -> bool:
        holds = self.key_id is None or person.key_held(self.key_id) is not None
        return person.exists and holds and person.sessions_ended_at == self.ended_before


def new_token() -> str:
    """32 random bytes in base64url; a machine's has its account and a dot before it."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def machine_of(token: str) -> str | None:
    """The account whose token this may be; None for a person's."""
    found = OF_MACHINE.match(token)
    return found[1] if found else None
