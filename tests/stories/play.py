"""Plays one story on an installation, step by step, in one of its modes."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.query.recorder import RecordedEvent
from shared.commands.base import AnyAnswer, Decision, Ignored, Recorded, Refused
from tests.stories import incoming
from tests.stories.ports import RegistryState
from tests.stories.script import CallStep, CommandStep, Step, Story, blocks, shuffled
from tests.stories.site import Handed, StorySite

AT_ONCE = 8
STAYS_BACK = 0.5
"""How likely it is that nothing more is handed out for now, where chance decides."""


@dataclass
class Play:
    """One playing of a story; names of the story stand for what this playing makes of them."""

    site: StorySite
    story: Story
    number: int
    """Of this playing, among all on the site: it makes ids and addresses its own."""
    twice: bool = False
    """Whether each message and each command comes twice."""
    chance: random.Random | None = None
    """Shuffles facts, where it is given."""
    split_at: Sequence[datetime] = ()
    """When something fell due in the story played in order: no fact is moved over that."""
    winners: list[str] = field(default_factory=list)
    """The command that won each race; given, that one comes first."""
    names: dict[str, str] = field(default_factory=dict)
    events: list[RecordedEvent] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    fired: list[tuple[datetime, str, str]] = field(default_factory=list)
    """When which kind of timer fell due, and about which case."""
    waiting: list[Handed] = field(default_factory=list)
    """Messages that no service has been handed yet."""
    unanswered: list[Handed] = field(default_factory=list)
    """Messages about which the registry was silent; they come again when it answers."""
    on_expect: Callable[[Step], None] = lambda _step: None
    on_move: Callable[[], None] = lambda: None

    def play(self) -> None:
        """Plays all of it. Raises AssertionError, with the step, where something is otherwise."""
        self.site.registry.state = "answers"
        for timers in self.site.timers.values():
            timers.running.clear()
        for block in blocks(self.story.steps, self.split_at):
            moved = shuffled(block, self.chance) if self.chance is not None else block
            late = block[-1].at if self.chance is not None else None
            for step in moved:
                try:
                    self._take(step, late)
                except Exception as error:
                    error.add_note(f"{self.story.name}: {step.model_dump_json(exclude_none=True)}")
                    raise

    def _take(self, step: Step, late: datetime | None) -> None:
        assert step.at is not None
        self._until(late or step.at)
        happened_at = step.at if late is not None else None
        self._do(step, happened_at)
        self._settle(everything=self.chance is None)

    def _do(self, step: Step, happened_at: datetime | None) -> None:
        if not step.may_change_places:
            self._settle(everything=True)
        if step.call is not None:
            self._call(step.call, step.at)
        elif step.command is not None:
            self._command(step, step.command, happened_at)
        else:
            self._do_at_once(step)
            self._look(step)

    def _do_at_once(self, step: Step) -> None:
        """What concerns more than one call or command, or the site."""
        if step.registry is not None:
            self._tell_registry(step.registry)
        if step.backlog is not None:
            self._backlog(step.backlog)
        if step.race is not None:
            self._race(step.race)
        if step.report is not None:
            self._hand(incoming.reported(self, step.report))
        if step.moves:
            self.on_move()

    def _look(self, step: Step) -> None:
        """What is compared with the story."""
        if step.note is not None and step.case is not None:
            self.names[step.note] = str(self.versions[self.names[step.case]])
        if step.due is not None:
            about = self.names[step.case or ""]
            assert any((kind, case) == (step.due, about) for _, kind, case in self.fired), (
                self.fired
            )
        if step.expect is not None:
            self.on_expect(step)

    def _until(self, at: datetime) -> None:
        """Lets time pass: what falls due by then falls due at its time, each once."""
        if self.site.clock.at < at:
            self._settle(everything=True)
        while due := self.site.next_due(at):
            self.site.clock.at = max(self.site.clock.at, due.at)
            self.fired.append((due.at, due.timer.kind, due.timer.about or ""))
            self._hand(self.site.fired(due))
            self._settle(everything=True)
        self.site.clock.at = at

    # Calls

    def _call(self, call: CallStep, at: datetime | None) -> None:
        handed = incoming.handed(self, call, at)
        self._hand(handed)
        self._collect()
        self._bind_case(call)

    def _bind_case(self, call: CallStep) -> None:
        found = incoming.case_of(self, call)
        known = self.names.setdefault(call.case, found)
        assert found == known, f"call {call.id} came into another case than {call.case}"

    def _backlog(self, calls: Sequence[CallStep]) -> None:
        """Hands intake many calls at once, as it would find them after it was away."""
        handed = [incoming.handed(self, call, call.started_at) for call in calls]
        if self.chance is not None:
            self.chance.shuffle(handed)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.site.hand_over, handed * (2 if self.twice else 1)))
        self._collect()
        for call in calls:
            self._bind_case(call)

    # Commands

    def _command(self, step: Step, command: CommandStep, happened_at: datetime | None) -> None:
        body = self._body(command, happened_at)
        answered = self.site.ask(command.command_type, body)
        self._check(step, command, answered)
        self._collect()
        if self.twice:
            self._again(command, body, answered)

    def _body(self, command: CommandStep, happened_at: datetime | None = None) -> bytes:
        own_id = self.own(command.id or f"{len(self.events)}-{len(self.names)}")
        if command.id:
            self.names[command.id] = own_id
        case_id = self.resolved(f"@{command.case}")
        body: dict[str, Any] = {"command_id": own_id, "case_id": case_id, "by": command.by}
        if issubclass(command.command_type, Decision):
            seen = command.seen_version
            body["seen_version"] = (
                self.versions[case_id] if seen is None else int(self.resolved(seen))
            )
        if happened_at is not None:
            body["happened_at"] = happened_at.isoformat()
        return json.dumps({**body, **self.resolved(command.own_fields)}).encode()

    def _check(self, step: Step, command: CommandStep, answered: AnyAnswer) -> None:
        if step.refused is not None:
            assert isinstance(answered, Refused), answered
            assert answered.guard == step.refused, answered
        elif step.ignored:
            assert isinstance(answered, Ignored), answered
        else:
            assert isinstance(answered, Recorded), answered
            assert answered.result == "recorded", answered
            self._bind(command, answered)

    def _bind(self, command: CommandStep, answered: Recorded) -> None:
        if answered.message_id is not None:
            self.names[f"{command.id}.message"] = answered.message_id
        if command.opens is not None:
            self.names[command.opens] = str(answered.case_id)
        if answered.return_code is not None:
            self.names[f"{command.case}.code"] = answered.return_code
            duress = getattr(answered, "duress_code", None)
            if duress is not None:
                self.names[f"{command.case}.duress"] = duress

    def _again(self, command: CommandStep, body: bytes, first: AnyAnswer) -> None:
        """The same command again is answered as before, and stores nothing."""
        before = len(self.events)
        again = self.site.ask(command.command_type, body)
        self._collect()
        stored = [one.topic for one in self.events[before:]]
        assert not stored, f"{command.name} came twice and was recorded twice: {stored}"
        match first:
            case Recorded():
                assert isinstance(again, Recorded), again
                assert again.result == "repeated", again
                assert again.case_id == first.case_id, again
                assert again.return_code == first.return_code
            case Refused():
                assert isinstance(again, Refused), again
                assert again.guard == first.guard
            case _:
                assert again.result == first.result, again

    def _race(self, commands: Sequence[CommandStep]) -> None:
        """Sends commands at the same moment; whoever is first wins, and nobody else."""
        if self.winners:
            commands = sorted(commands, key=lambda one: one.name != self.winners[0])
        asked = [(one.command_type, self._body(one)) for one in commands]
        with ThreadPoolExecutor(1 if self.winners else AT_ONCE) as pool:
            answers = list(pool.map(lambda one: self.site.ask(*one), asked))
        won = [n for n, one in enumerate(answers) if isinstance(one, Recorded)]
        lost = [n for n, one in enumerate(answers) if isinstance(one, Refused)]
        assert (len(won), len(lost)) == (1, len(commands) - 1), answers
        self.winners = [commands[won[0]].name]
        self._collect()

    # Messages

    def _tell_registry(self, state: RegistryState) -> None:
        self.site.registry.state = state
        self.waiting += self.unanswered
        self.unanswered.clear()
        self._settle(everything=True)

    def _hand(self, handed: Handed) -> None:
        """Has a service process a message; a second time too, where everything comes twice."""
        try:
            self.site.hand_over(handed)
        except TimeoutError:
            self.unanswered.append(handed)
            return
        self._collect()
        if self.twice:
            before = len(self.events)
            self.site.hand_over(handed)
            self._collect()
            stored = [one.topic for one in self.events[before:]]
            assert not stored, f"{handed.delivery.subject} came twice: {stored}"

    def _collect(self) -> None:
        for event in self.site.new_events():
            self.events.append(event)
            self.versions[str(event.originator_id)] += 1
            self.waiting += self.site.deliveries_of(event)

    def _settle(self, *, everything: bool) -> None:
        """Hands out what waits: all of it, until nothing follows any more; or, by chance, some."""
        while self.waiting:
            place = 0
            if self.chance is not None:
                if not everything and self.chance.random() < STAYS_BACK:
                    return
                place = self.chance.randrange(len(self.waiting))
            self._hand(self.waiting.pop(place))

    # Names

    def own(self, name: str) -> str:
        return f"{self.story.name}-{self.number}-{name}"

    def resolved(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            return self.names[value[1:]]
        if isinstance(value, dict):
            return {key: self.resolved(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolved(one) for one in value]
        return value
