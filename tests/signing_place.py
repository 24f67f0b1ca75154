"""A service that checks signatures, in memory: the people who sign, and what they are asked to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.commands import handover, intake, people, shifts, verification
from shared.commands.base import Command
from shared.events.base import CaseEvent, Event
from shared.events.fields import Plain
from shared.events.intake import NoteAdded
from shared.events.people import PersonAdded, Role, RoleGranted, log_of
from shared.events.signatures import Signature
from shared.log.case_log import CaseLog, Fold
from shared.log.transact import Outcome, Writer, transact
from shared.people.directory import PEOPLE, Directory
from shared.people.signatures import canonical_of
from shared.people.signed import SIGNED
from shared.people.site import Site
from shared.skeleton.service import Context
from shared.skeleton.signing import Counters, Nonces, Signing
from tests.contexts import NOW, MemoryBucket, ask, key_holder, record
from tests.examples import digest
from tests.signers import HERE, AnyKey, KeyFile, Passkey

OLENA, PETRO, MARIA = "olena", "petro", "maria"
EVERY_ROLE: tuple[Role, ...] = ("supervisor", "coordinator", "verifier", "operator")
SALT = "random-enough-for-a-test"
IN_MEMORY = {"PERSISTENCE_MODULE": "eventsourcing.popo"}

ASKED: dict[str, Callable[[str], Command]] = {
    "approve": lambda one: ask(
        handover.ApproveRendezvous, OLENA, command_id=one, rendezvous_id="meet-1"
    ),
    "disclose": lambda one: ask(
        handover.DiscloseRendezvous,
        OLENA,
        salt=SALT,
        command_id=one,
        rendezvous_id="meet-1",
        to_whom="Vzorov",
        call_id="call-1",
    ),
    "override": lambda one: ask(
        handover.UseEmergencyOverride,
        OLENA,
        salt=SALT,
        command_id=one,
        guard="no_hold",
        reason="he can't wait",
        second_by=PETRO,
        expires_at=NOW + timedelta(hours=1),
    ),
    "resolve": lambda one: ask(
        handover.ResolveDiscrepancy,
        OLENA,
        salt=SALT,
        command_id=one,
        explanation="he came later",
        second_by=PETRO,
    ),
    "erase": lambda one: ask(
        intake.ErasePersonalData,
        OLENA,
        salt=SALT,
        command_id=one,
        legal_basis="court_order",
        reference="court of Musterdorf",
    ),
    "close": lambda one: ask(
        intake.CloseCase, OLENA, command_id=one, reason="hoax", second_by=PETRO
    ),
    "clear": lambda one: ask(
        intake.ClearDuress, OLENA, salt=SALT, command_id=one, reason="he is alone"
    ),
    "verify": lambda one: ask(
        verification.VerifyIdentity,
        OLENA,
        salt=SALT,
        command_id=one,
        basis="two_sources",
        second_by=PETRO,
        reason="his brother knows him",
    ),
    "export": lambda one: ask(
        shifts.RecordExport,
        OLENA,
        command_id=one,
        case_id="EXPORT-1",
        first_day="2026-03-01",
        last_day="2026-03-02",
        digest=digest("file"),
        rows=4,
        suppressed=1,
        second_by=PETRO,
    ),
    "add": lambda one: ask(
        people.AddPerson, OLENA, command_id=one, case_id=log_of("ivan"), name="Ivan Example"
    ),
    "grant": lambda one: ask(
        people.GrantRole, OLENA, command_id=one, case_id=log_of(MARIA), role="supervisor"
    ),
    "enrol": lambda one: ask(
        people.OfferEnrolment,
        OLENA,
        command_id=one,
        case_id=log_of(PETRO),
        token_hash=digest("link"),
    ),
    "resume": lambda one: ask(people.ResumePerson, OLENA, command_id=one, case_id=log_of(MARIA)),
}
"""One of each command that needs signatures, by OLENA; who signs second is PETRO."""


def _count(state: int, _event: CaseEvent[Any]) -> int:
    return state + 1


def _note(_state: int) -> list[Event]:
    return [NoteAdded(text=Plain("decided"))]


@dataclass
class SigningPlace:
    """OLENA and PETRO have every role, MARIA is an operator; each has a passkey and a key file."""

    now: datetime = NOW
    site: Site = HERE
    passkeys: dict[str, Passkey] = field(default_factory=dict)
    key_files: dict[str, KeyFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._people: CaseLog[Any] = CaseLog(PEOPLE, IN_MEMORY)
        log: CaseLog[Any] = CaseLog(Fold(0, _count), IN_MEMORY)
        self.writer = Writer(log, key_holder())
        self.buckets = (MemoryBucket(), MemoryBucket())
        self.nonces = Nonces(self.buckets[0], "place", self.clock)
        self.signing = Signing(
            Directory(self._people), self.nonces, Counters(self.buckets[1]), self.site
        )
        self.context = Context("place", self.writer, self.clock, self.signing)
        for account in (OLENA, PETRO, MARIA):
            self.passkeys[account] = passkey = Passkey(account)
            self.key_files[account] = key_file = KeyFile(account)
            added = PersonAdded(name=account.title(), by=OLENA)
            roles = EVERY_ROLE if account != MARIA else ("operator",)
            granted = [RoleGranted(role=one, by=OLENA) for one in roles]
            self.note(account, added, *granted, passkey.registered(), key_file.registered())

    def clock(self) -> datetime:
        return self.now

    def note(self, account: str, *events: Event) -> None:
        """Records something of a person."""
        record(Writer(self._people, key_holder()), *events, case_id=log_of(account), at=self.now)

    def signed(
        self, command: Command, key: AnyKey, *, nonce: str = "", site: Site | None = None
    ) -> Signature:
        hidden = SIGNED[type(command)].hidden
        nonce = nonce or self.nonces.issue()
        return key.sign(canonical_of(command, hidden, key.person, nonce, site or self.site))

    def rightly_signed(self, command: Command) -> Command:
        """By as many as it needs: OLENA with her passkey, PETRO with his key file."""
        asked = SIGNED[type(command)].asked(command, Directory(self._people))
        keys: list[AnyKey] = [self.passkeys[OLENA], self.key_files[PETRO]]
        return with_signatures(
            command, *(self.signed(command, one) for one in keys[: asked.people])
        )

    def give(self, command: Command) -> Outcome:
        """Raises RefusedError."""
        cause = self.context.cause_of(command)
        return transact(self.writer, command.case_id, cause, _note)

    def recorded(self) -> int:
        return len(list(self.writer.log.recorder.select_notifications(1, 1_000)))


def with_signatures(command: Command, *signatures: Signature) -> Command:
    return command.model_copy(update={"signatures": signatures})
