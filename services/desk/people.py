"""Who works here, and in which roles: a supervisor decides, never about themself."""

from services.desk.guards import (
    Acting,
    require_another,
    require_known,
    require_own,
    require_own_or_supervisor,
    require_role,
    require_supervising,
)
from shared.commands import people as commands
from shared.events import people
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.people.state import PersonState
from shared.policy import policy
from shared.refusals import Guard, require

RESERVED = frozenset({"keeper", "nobody", "passage", *policy().services})
"""Accounts that would be taken for something else in the record."""

ACCOUNT_NEW = Guard("account_new", "an account that nobody has or had")
ROLE_FITS = Guard("role_fits", "role integration for a machine, and any other for a person")


def decide_add(person: PersonState, command: commands.AddPerson, acting: Acting) -> list[Event]:
    require_supervising(acting, command)
    return added(person, command)


def added(person: PersonState, command: commands.AddPerson) -> list[Event]:
    account = command.case_id.removeprefix(people.OF_PEOPLE)
    require(not person.exists and account not in RESERVED, ACCOUNT_NEW)
    return [event_of(people.PersonAdded, command)]


def decide_grant(person: PersonState, command: commands.GrantRole, acting: Acting) -> list[Event]:
    """Granting a role that is held changes nothing."""
    require_known(person)
    require_supervising(acting, command)
    require_another(person, command)
    require((command.role == "integration") == person.is_machine, ROLE_FITS)
    return [] if command.role in person.roles else [event_of(people.RoleGranted, command)]


def decide_take(person: PersonState, command: commands.TakeRole, acting: Acting) -> list[Event]:
    require_known(person)
    require_supervising(acting, command)
    require_another(person, command)
    return [event_of(people.RoleTaken, command)] if command.role in person.roles else []


def decide_suspend(
    person: PersonState, command: commands.SuspendPerson, acting: Acting
) -> list[Event]:
    require_known(person)
    require_supervising(acting, command)
    require_another(person, command)
    return [] if person.suspended else [event_of(people.PersonSuspended, command)]


def decide_resume(
    person: PersonState, command: commands.ResumePerson, acting: Acting
) -> list[Event]:
    require_known(person)
    require_supervising(acting, command)
    require_another(person, command)
    return [event_of(people.PersonResumed, command)] if person.suspended else []


def decide_end_sessions(
    person: PersonState, command: commands.EndSessions, acting: Acting
) -> list[Event]:
    """Always recorded: a session may have begun since the last time."""
    require_own_or_supervisor(person, acting, command)
    return [event_of(people.SessionsEnded, command)]


def decide_see_signatures(
    person: PersonState, command: commands.SeeSignatures, acting: Acting
) -> list[Event]:
    """Nobody looks for somebody else; else whoever signed in their name could hide it."""
    require_own(person, command)
    require_role(acting, command)
    return [event_of(people.SignaturesSeen, command)]
