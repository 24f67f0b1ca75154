"""Guards shared by desk's deciders, and what they know besides a log."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.commands.base import Command
from shared.people.roles import OWN, may
from shared.people.state import PersonState
from shared.refusals import Guard, require

PERSON_KNOWN = Guard("person_known", "the account of somebody who was added")
ROLE_HELD = Guard("role_held", "somebody whose role lets them do this, and who isn't suspended")
ANOTHER_DECIDES = Guard("another_decides", "a supervisor who does it for somebody else")
OWN_ACCOUNT = Guard("own_account", "your own account")


@dataclass(frozen=True, slots=True)
class Rules:
    enrolment: timedelta
    """How long a link holds."""
    proposal: timedelta
    """How long a decision waits for its second signature."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Who asks, as their own log has them, and when."""

    actor: PersonState
    now: datetime
    rules: Rules


def require_known(person: PersonState) -> None:
    require(person.exists, PERSON_KNOWN)


def require_role(acting: Acting, command: Command) -> None:
    actor, act = acting.actor, type(command).__name__
    require(actor.exists and not actor.suspended and may(actor.roles, act), ROLE_HELD)


def require_supervising(acting: Acting, command: Command) -> None:
    """Of somebody who holds a key: until there are keys, nobody has to sign."""
    require_role(acting, command)
    require(bool(acting.actor.keys_held), ROLE_HELD)


def require_another(person: PersonState, command: Command) -> None:
    """Nobody gives themself more, or takes from themself what only another can give back."""
    require(command.by != person.account, ANOTHER_DECIDES)


def require_own(person: PersonState, command: Command) -> None:
    require_known(person)
    require(command.by == person.account, OWN_ACCOUNT)


def require_own_or_supervisor(person: PersonState, acting: Acting, command: Command) -> None:
    require_known(person)
    require_role(acting, command)
    is_own = command.by == person.account and type(command).__name__ in OWN
    require(is_own or "supervisor" in acting.actor.roles, ROLE_HELD)
