"""A desk in memory with a clock to be set, and what people ask of it."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args
from uuid import uuid4

from services.desk.deadlines import Spans
from services.desk.handlers import Desk
from services.desk.main import desk_of, handlers_of
from services.desk.state import DeskState, evolve
from shared.commands import people as commands
from shared.commands.base import AnyAnswer, Command, Recorded, Unavailable
from shared.events.base import CaseEvent
from shared.events.fields import PersonalClass
from shared.events.parsing import read_case_event
from shared.events.people import PersonAdded, Role, RoleGranted, log_of
from shared.log.case_log import CaseLog, Fold
from shared.log.transact import Outcome, Writer
from shared.people.sessions import hash_of, new_token
from shared.people.state import PersonState
from shared.settings import Settings
from shared.skeleton.due import spans_of
from shared.skeleton.service import Context
from tests.contexts import MemoryTimers, events_of, key_holder, record
from tests.examples import NOON
from tests.signers import HERE, KeyFile

PUBLIC_KEY = urlsafe_b64encode(b"p" * 32).decode().rstrip("=")


Done = Outcome | Recorded


def nobody_answers(_command: Command) -> AnyAnswer:
    return Unavailable(reason="nobody is there")


@dataclass
class SmallDesk:
    """`olena` is its supervisor, `ivan` an operator, `figures` a machine."""

    now: datetime = NOON
    timers: MemoryTimers = field(default_factory=MemoryTimers)
    handed_on: list[Command] = field(default_factory=list)
    """What another service was to decide on."""
    answers: Callable[[Command], AnyAnswer] = nobody_answers

    def __post_init__(self) -> None:
        log: CaseLog[Any] = CaseLog(
            Fold(DeskState(), evolve), {"PERSISTENCE_MODULE": "eventsourcing.popo"}
        )
        self.holder = key_holder()
        self.context = Context("desk", Writer(log, self.holder), lambda: self.now)
        spans = spans_of(Spans, Settings())
        self.desk: Desk = desk_of(self.context, self.timers, spans, HERE, self._hand_on)
        self.handlers = handlers_of(self.desk)
        self.key_files: dict[str, KeyFile] = {}
        self.add("olena", "supervisor")
        self.add("ivan", "operator")
        self.add("figures", "integration")
        self.give_key("olena")

    def _hand_on(self, command: Command) -> AnyAnswer:
        self.handed_on.append(command)
        return self.answers(command)

    def add(self, account: str, *roles: Role) -> None:
        is_machine = "integration" in roles
        events = [PersonAdded(name=account.title(), is_machine=is_machine, by="keeper")]
        granted = [RoleGranted(role=role, by="keeper") for role in roles]
        record(self.context.writer, *events, *granted, case_id=log_of(account), at=self.now)

    def give_key(self, account: str) -> None:
        self.key_files[account] = key = KeyFile(account)
        record(self.context.writer, key.registered(), case_id=log_of(account), at=self.now)

    def person(self, account: str) -> PersonState:
        state: DeskState = self.context.writer.log.load_current(log_of(account)).state
        return state.person

    def events(self, log_id: str) -> list[CaseEvent[Any]]:
        stored = events_of(self.context.writer.log, log_id)
        return [read_case_event(one.body) for one in stored]

    def destroy_keys(self, log_id: str, erasure: str) -> None:
        """As the key holder does."""
        self.holder.ring.destroy(log_id, get_args(PersonalClass), erasure)

    def ask(self, command: type[Command], about: str, by: str = "olena", /, **said: Any) -> Done:
        """About an account, or a log by its number."""
        log_id = about if "-" in about else log_of(about)
        who = {"command_id": uuid4().hex, "case_id": log_id, "by": by}
        return self.handlers[command](command.model_validate({**who, **said}))

    def link(self, account: str) -> str:
        """The token of a link by which somebody may register a key."""
        token = new_token()
        self.ask(commands.OfferEnrolment, account, token_hash=hash_of(token))
        return token

    def enrol(self, account: str, token: str, key_id: str = "a2V5", **said: Any) -> Done:
        key = {"kind": "key_file", "key_id": key_id, "public_key": PUBLIC_KEY, "label": "a key"}
        return self.ask(commands.Enrol, account, account, token=token, **{**key, **said})

    def enrolled(self, account: str, key_id: str = "a2V5") -> None:
        self.enrol(account, self.link(account), key_id)
