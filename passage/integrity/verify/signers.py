"""Proves again who signed the gravest decisions, with public keys only.

People's own logs say which keys and roles each had when a decision was recorded, by the server's
clock. From the first key on, nothing of `NEEDED` counts without its signatures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from passage.integrity.verify.needed import NEEDED, Needed, Then
from shared.commands.base import Command
from shared.commands.catalogue import COMMANDS as COMMAND_TYPES
from shared.events import intake, people
from shared.events.base import CaseEvent
from shared.events.signatures import Signature, said_in, signed_in_common
from shared.jetstream.stored import StoredMessage
from shared.people.roles import COMMANDS, ONLY_OWN, OWN, ROLES, Role, may
from shared.people.signatures import (
    DIGEST_PREFIX,
    plain,
    require_proof,
)
from shared.people.signed import SIGNED, account_of, acts_recording, may_sign
from shared.people.site import Site
from shared.people.state import Key, PersonState, evolve_person
from shared.refusals import RefusedError
from shared.subjects import KEEPER

LONG_AGO = datetime.min.replace(tzinfo=UTC)
IN_FLIGHT = timedelta(seconds=30)
"""A decision is recorded within this time after its signatures were checked."""


OF_SOMETHING_ELSE = "its signature is of something else"
USED_BEFORE = "its signature was used before"
NARROWED = "classes"
"""Of the classes to be erased, those that hold nothing aren't recorded."""
ERASURES = (intake.ErasureRequested, intake.PersonalDataErased)


@dataclass(slots=True)
class _Signer:
    state: PersonState = field(default_factory=PersonState)
    lost: dict[str, datetime] = field(default_factory=dict)
    """Key id, role or `suspended` -> when it was taken away last, by the server's clock."""

    def had(self, what: str, has: bool, at: datetime) -> bool:
        """Whether they have it, or had it when a decision was checked that is recorded at `at`."""
        lost_at = self.lost.get(what)
        return has or (lost_at is not None and at <= lost_at + IN_FLIGHT)

    def key(self, key_id: str, at: datetime) -> Key | None:
        key = self.state.keys.get(key_id)
        if key is None or not self.had(key_id, key.revoked is None, at):
            return None
        return key

    def roles(self, at: datetime) -> frozenset[Role]:
        if not self.lost:  # As of nearly everybody: no set is made for each event.
            return self.state.roles
        return self.state.roles | {one for one in ROLES if self.had(one, False, at)}


_NOBODY = _Signer()
"""Whoever was never added; nothing changes it."""


class Signers:
    """Is shown every event of CASES, in order."""

    def __init__(self) -> None:
        self._signers: dict[str, _Signer] = {}
        self._anybody = False
        self._holders: dict[str, datetime] = {}
        """The log of whoever ever held a key -> since when; in that order."""
        self._nonces: dict[str, str] = {}
        """Nonce -> the cause that it was used for."""
        self._erasing: set[str] = set()
        """Cases of which two people asked that they be erased later."""
        self._proposed: dict[str, Mapping[str, Any]] = {}
        """Decision that waits -> what whoever proposed it signed."""

    def broken(self, stored: StoredMessage, event: CaseEvent[Any]) -> Iterator[str]:
        """What is wrong with an event's signatures; takes it into account from then on."""
        kind = type(event.data)
        if kind in NEEDED and not self._is_exempt(event):
            then = Then(self._of(event.subject).state, self._several_signed(stored.recorded_at))
            needed = NEEDED[kind](event.data, then)
            if needed.people:
                yield from self._wrong(event, needed, stored.recorded_at)
        if isinstance(event.data, intake.ErasureRequested) and not _is_of_places(event.data):
            self._erasing.add(event.subject)
        if isinstance(event.data, people.DecisionEvent):
            yield from self._wrong_with_decision(event, stored.recorded_at)
        if isinstance(event.data, people.PersonEvent):
            self._follow(event, stored)

    def beyond_role(self, stored: StoredMessage, event: CaseEvent[Any]) -> Iterator[str]:
        """Whether whoever gave the command might give it then; call it before `broken`.

        Before the first key, operators were names that anybody could give.
        """
        kind, _, account = event.actor.partition(":")
        act = event.causationid.partition("-")[0]
        if kind != "operator" or not self._anybody or act not in COMMANDS:
            return
        if act in OWN and event.subject == people.log_of(account):
            return
        signer = self._signer(account)
        at = stored.recorded_at if signer.lost else LONG_AGO
        if not signer.state.exists:
            yield "given by somebody who was never added"
        elif not _may_for_others(signer.roles(at), act):
            yield "given by somebody whose role did not allow it"
        elif not signer.had("suspended", not signer.state.suspended, at):
            yield "given by somebody who was suspended"

    def _several_signed(self, at: datetime) -> bool:
        """Surely: what was decided before the second key may have been recorded after it."""
        since = [*self._holders.values()][1:2]
        return bool(since) and at > since[0] + IN_FLIGHT

    def _is_exempt(self, event: CaseEvent[Any]) -> bool:
        if event.signatures is not None:
            return False
        if event.source == f"/{KEEPER}":
            return not any(_can_supervise(one.state) for one in self._signers.values())
        if isinstance(event.data, ERASURES) and not event.actor.startswith("operator:"):
            return _is_of_places(event.data) or event.subject in self._erasing
        return not self._anybody

    def _wrong(self, event: CaseEvent[Any], needed: Needed, at: datetime) -> Iterator[str]:
        signatures = event.signatures or ()
        signers = {one.person for one in signatures}
        if len(signers) != needed.people or len(signatures) != needed.people:
            yield f"signed by {len(signers)} instead of {needed.people}"
            return
        by = event.actor.removeprefix("operator:")
        second_by = getattr(event.data, "second_by", None)
        if by not in signers or (second_by is not None and second_by not in signers):
            yield "signed by others than it names"
        if needed.supervisor and not any(
            "supervisor" in self._signer(one).roles(at) for one in signers
        ):
            yield "signed by no supervisor"
        for signature in signatures:
            yield from self._wrong_with(event, signature, signature.person == by, at)

    def _wrong_with(
        self, event: CaseEvent[Any], signature: Signature, is_first: bool, at: datetime
    ) -> Iterator[str]:
        said, act = said_in(signature), acts_recording()[type(event.data)]
        if not _is_of(said, signature, event, act.__name__):
            yield OF_SOMETHING_ELSE
        cause = f"{event.source} {event.causationid}"
        if self._nonces.setdefault(str(said.get("nonce")), cause) != cause:
            yield USED_BEFORE
        yield from self._unproven(signature, act, is_first, at)

    def _wrong_with_decision(self, event: CaseEvent[Any], at: datetime) -> Iterator[str]:
        """A proposal leads to nothing by itself, but says who wanted it."""
        data, is_first = event.data, isinstance(event.data, people.DecisionProposed)
        if not isinstance(data, people.DecisionProposed | people.DecisionAgreed):
            self._proposed.pop(event.subject, None)
            return
        signature = data.signature
        said, common = said_in(signature), signed_in_common(signature)
        if isinstance(data, people.DecisionProposed):
            self._proposed[event.subject] = common
            nonce = f"proposed {said.get('nonce')}"
            if self._nonces.setdefault(nonce, event.subject) != event.subject:
                yield USED_BEFORE
            is_it = (said.get("act"), said.get("case_id")) == (data.act, data.about)
        else:
            is_it = self._proposed.pop(event.subject, None) == common
        act = COMMAND_TYPES.get(str(said.get("act")))
        is_theirs = said.get("person") == signature.person
        is_theirs &= event.actor == f"operator:{signature.person}"
        if act is None or act not in SIGNED or not (is_it and is_theirs):
            yield OF_SOMETHING_ELSE
        else:
            yield from self._unproven(signature, act, is_first, at)

    def _unproven(
        self, signature: Signature, act: type[Command], is_first: bool, at: datetime
    ) -> Iterator[str]:
        signer = self._signer(signature.person)
        key = signer.key(signature.key_id, at)
        if key is None or not signer.state.exists:
            yield "signed with a key that its signer did not have then"
            return
        if not signer.had("suspended", not signer.state.suspended, at):
            yield "signed by somebody who was suspended"
        if not may_sign(signer.roles(at), act, is_first=is_first):
            yield "signed by somebody whose role did not allow it"
        said = said_in(signature)
        try:
            require_proof(signature, key, _site_in(said, key))
        except RefusedError as refusal:
            yield f"its signature proves nothing ({refusal.guard.name})"

    def _follow(self, event: CaseEvent[Any], stored: StoredMessage) -> None:
        signer, data = self._of(event.subject), event.data
        signer.state = evolve_person(signer.state, event)
        match data:
            case people.KeyRegistered():
                self._anybody = True
                self._holders.setdefault(event.subject, stored.recorded_at)
            case people.KeyRevoked():
                signer.lost[data.key_id] = stored.recorded_at
            case people.RoleTaken():
                signer.lost[data.role] = stored.recorded_at
            case people.PersonSuspended():
                signer.lost["suspended"] = stored.recorded_at
            case _:
                pass

    def _of(self, log_id: str) -> _Signer:
        """The person whose log it is; nobody, of another log."""
        if not log_id.startswith(people.OF_PEOPLE):
            return _Signer()
        return self._signers.setdefault(account_of(log_id), _Signer())

    def _signer(self, account: str) -> _Signer:
        return self._signers.get(account, _NOBODY)


def _can_supervise(person: PersonState) -> bool:
    return "supervisor" in person.roles and bool(person.keys_held) and not person.suspended


def _may_for_others(roles: frozenset[Role], act: str) -> bool:
    return may(roles, act) and (act not in OWN or ("supervisor" in roles and act not in ONLY_OWN))


def _is_of_places(data: intake.ErasureRequested | intake.PersonalDataErased) -> bool:
    """What the service does by itself: where he was is kept for days only."""
    return data.legal_basis == "location_retention" and data.classes == ("location",)


def _is_of(said: Mapping[str, Any], signature: Signature, event: CaseEvent[Any], act: str) -> bool:
    """Whether what was signed is what was recorded; digests of texts are left to the service."""
    fields, command_id = said.get("fields"), said.get("command_id")
    seen_version = said.get("seen_version", 0)
    if not isinstance(fields, dict) or not isinstance(seen_version, int):
        return False
    recorded = event.data.model_dump(mode="json", exclude_none=True)
    same = all(
        plain(recorded[name]) == value or (name == NARROWED and {*recorded[name]} <= {*value})
        for name, value in fields.items()
        if name in recorded and not str(value).startswith(DIGEST_PREFIX)
    )
    who = (said.get("person"), f"operator:{fields.get('by')}")
    what = (said.get("act"), said.get("case_id"), f"{act}-{command_id}")
    return (
        same
        and who == (signature.person, event.actor)
        and what == (act, event.subject, event.causationid)
        and seen_version < event.caseversion
    )


def _site_in(said: Mapping[str, Any], key: Key) -> Site:
    """The site signed for; a passkey's must be of the host that the key was made for."""
    origin = str(said.get("site"))
    is_its_host = key.rp_id is None or urlsplit(origin).hostname == key.rp_id
    return Site(origin if is_its_host else "", key.rp_id or "")
