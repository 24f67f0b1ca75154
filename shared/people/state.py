"""A person folded from their log: what each may prove themselves with, and since when."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from shared.events import people
from shared.events.base import CaseEvent
from shared.events.fields import Sealed
from shared.events.people import Role
from shared.events.signatures import KeyKind


class Moment(NamedTuple):
    """The version of a person's log, and desk's clock when it was recorded."""

    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    key_id: str
    kind: KeyKind
    public_key: str
    """In base64url."""
    label: str
    sign_count: int
    is_synced: bool
    rp_id: str | None
    registered: Moment
    revoked: Moment | None = None

    def held_at(self, at: datetime) -> bool:
        return self.registered.at <= at and (self.revoked is None or at < self.revoked.at)

    def counted_as(self, account: str) -> str:
        """What its counter is kept under: whoever registers a key may give it another's id."""
        return sha256(f"{account} {self.key_id}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """A machine's."""

    token_hash: str
    label: str
    expires_at: datetime
    issued: Moment
    revoked: Moment | None = None

    def holds_at(self, at: datetime) -> bool:
        return self.revoked is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A link that nobody has used yet."""

    token_hash: str
    expires_at: datetime
    offered: Moment


@dataclass(frozen=True, slots=True)
class BreakGlass:
    version: int
    password_hash: Sealed
    totp_secret: Sealed
    last_step: int = -1
    """The step of the code accepted last."""


@dataclass(frozen=True, slots=True)
class PersonState:
    account: str = ""
    """Empty until the person is added."""
    name: str = ""
    is_machine: bool = False
    roles: frozenset[Role] = frozenset()
    keys: Mapping[str, Key] = field(default_factory=dict)
    """By key id; revoked ones too."""
    tokens: Mapping[str, Token] = field(default_factory=dict)
    """By hash."""
    enrolments: Mapping[str, Enrolment] = field(default_factory=dict)
    """Open ones, by hash."""
    used_links: frozenset[str] = frozenset()
    break_glass: BreakGlass | None = None
    suspended: bool = False
    sessions_ended_at: datetime | None = None
    refused: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(kind, why) -> attempts refused, as recorded last."""

    @property
    def exists(self) -> bool:
        return bool(self.account)

    def key_held(self, key_id: str) -> Key | None:
        """The key, unless it is revoked or was never theirs."""
        key = self.keys.get(key_id)
        return key if key is not None and key.revoked is None else None

    @property
    def keys_held(self) -> tuple[Key, ...]:
        return tuple(one for one in self.keys.values() if one.revoked is None)

    def lets_session(self, created: datetime, key_id: str | None = None) -> bool:
        """Whether a session begun at `created`, with this key, still holds."""
        ended = self.sessions_ended_at
        return (
            self.exists
            and not self.suspended
            and (ended is None or ended < created)
            and (key_id is None or self.key_held(key_id) is not None)
        )


def evolve_person(state: PersonState, event: CaseEvent[Any]) -> PersonState:
    """Leaves it as it is after events of other logs."""
    data, moment = event.data, Moment(event.caseversion, event.time)
    match data:
        case people.PersonAdded():
            account = event.subject.removeprefix(people.OF_PEOPLE)
            return replace(state, account=account, name=data.name, is_machine=data.is_machine)
        case people.RoleGranted():
            return replace(state, roles=state.roles | {data.role})
        case people.RoleTaken():
            return replace(state, roles=state.roles - {data.role})
        case people.PersonSuspended():
            return replace(state, suspended=True, sessions_ended_at=event.time)
        case people.PersonResumed():
            return replace(state, suspended=False)
        case people.SessionsEnded():
            return replace(state, sessions_ended_at=event.time)
        case people.PersonEvent():
            return _after_proof(state, data, moment)
        case _:
            return state


def _after_proof(state: PersonState, data: people.PersonEvent, moment: Moment) -> PersonState:
    match data:
        case people.BreakGlassSet():
            sealed = Sealed(data.password_hash), Sealed(data.totp_secret)
            return replace(state, break_glass=BreakGlass(moment.version, *sealed))
        case people.BreakGlassUsed() if state.break_glass is not None:
            return replace(state, break_glass=replace(state.break_glass, last_step=data.step))
        case people.AttemptsRefused():
            counted = {**state.refused, (data.kind, data.why): data.count}
            return replace(state, refused=counted)
        case people.TokenIssued():
            token = Token(data.token_hash, data.label, data.expires_at, moment)
            return replace(state, tokens={**state.tokens, data.token_hash: token})
        case people.TokenRevoked() if data.token_hash in state.tokens:
            ended = replace(state.tokens[data.token_hash], revoked=moment)
            return replace(state, tokens={**state.tokens, data.token_hash: ended})
        case _:
            return _after_key(state, data, moment)


def _after_key(state: PersonState, data: people.PersonEvent, moment: Moment) -> PersonState:
    match data:
        case people.EnrolmentOffered():
            offered = Enrolment(data.token_hash, data.expires_at, moment)
            return replace(state, enrolments={**state.enrolments, data.token_hash: offered})
        case people.EnrolmentExpired():
            return _without_links(state, {data.token_hash})
        case people.KeyRegistered():
            # A link that whoever offered it kept back would be a key in this person's name.
            without = _without_links(state, {data.token_hash, *state.enrolments})
            key = Key(
                data.key_id,
                data.kind,
                data.public_key,
                data.label,
                data.sign_count,
                data.is_synced,
                data.rp_id,
                moment,
            )
            return replace(without, keys={**state.keys, data.key_id: key})
        case people.KeyRevoked() if data.key_id in state.keys:
            revoked = replace(state.keys[data.key_id], revoked=moment)
            return replace(state, keys={**state.keys, data.key_id: revoked})
        case _:
            return state


def _without_links(state: PersonState, over: Set[str]) -> PersonState:
    left = {name: one for name, one in state.enrolments.items() if name not in over}
    return replace(state, enrolments=left, used_links=state.used_links | over)
