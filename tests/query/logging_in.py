"""The ways to log in without a server: buckets in memory, and people as a test has them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from services.query.logins.challenges import Challenges
from services.query.logins.counters import Counters
from services.query.logins.sessions import Sessions
from services.query.logins.ways import Ways
from shared.people.roles import Role
from shared.people.sessions import hash_of
from shared.people.site import Site
from shared.people.state import Enrolment, Key, Moment, PersonState
from tests.contexts import MemoryBucket
from tests.soft_passkeys import SITE, SoftPasskey, text_of

LINK = "l" * 43
"""The token of a link that was offered."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class People:
    known: dict[str, PersonState] = field(default_factory=dict)

    def add(self, account: str, *roles: Role, name: str = "Somebody Example") -> None:
        self.known[account] = PersonState(account=account, name=name, roles=frozenset(roles))

    def person(self, account: str) -> PersonState:
        return self.known.get(account, PersonState())

    def change(self, account: str, **changes: object) -> None:
        self.known[account] = replace(self.known[account], **changes)  # type: ignore[arg-type]

    def offer(self, account: str, token: str = LINK, hours: float = 1) -> None:
        offered = Enrolment(hash_of(token), _now() + timedelta(hours=hours), Moment(2, _now()))
        self.change(account, enrolments={offered.token_hash: offered})

    def several_sign(self) -> bool:
        return sum(bool(one.keys) for one in self.known.values()) > 1

    def register(self, passkey: SoftPasskey) -> Key:
        """As if it had been registered by a link."""
        key = Key(
            passkey.key_id,
            "passkey",
            text_of(passkey.public_key),
            "at the desk",
            passkey.count,
            False,
            passkey.site.rp_id,
            Moment(3, _now()),
        )
        self.hold(passkey.account, key)
        return key

    def hold(self, account: str, key: Key) -> None:
        self.change(account, keys={**self.known[account].keys, key.key_id: key})


def ways_in_memory(people: People, site: Site = SITE) -> Ways:
    return Ways(
        site,
        Sessions(MemoryBucket(), people.person),
        Challenges(MemoryBucket()),
        Counters(MemoryBucket()),
        people,
    )
