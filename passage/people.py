"""The first people of an installation, added by the keeper while no supervisor holds a key.

The keeper writes into the log itself: desk obeys supervisors alone, so that no process that can
send commands can make one.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from passage.exits import Exit, VerbEndedError
from passage.running import Running, settings_of_environment
from services.desk.credentials import offered
from services.desk.people import added
from shared.commands.people import AddPerson, OfferEnrolment
from shared.events.base import Event
from shared.events.people import Role, RoleGranted, log_of
from shared.keys.client import RemoteKeys
from shared.log.case_log import CaseLog, LogError, jetstream_env
from shared.log.transact import Cause, Writer, transact
from shared.people.directory import PEOPLE, Directory
from shared.people.sessions import hash_of, new_token
from shared.people.site import site_of
from shared.people.state import PersonState
from shared.refusals import Guard, RefusedError, require
from shared.subjects import KEEPER

NO_SUPERVISOR = Guard(
    "no_supervisor", "a supervisor, at /supervise/people: this is only for when there is none"
)
NO_KEY = Guard("no_key", "an account whose person holds no key yet")


@dataclass(frozen=True)
class Newcomer:
    account: str
    name: str
    roles: tuple[Role, ...]


def add(running: Running, newcomers: Sequence[Newcomer]) -> dict[str, str]:
    """Adds people, and makes each a link: account -> address. Raises VerbEndedError (1, 3, 5)."""
    settings = settings_of_environment().model_copy(
        update={
            "nats_url": running.nats,
            "nats_nkey": running.nkey_of(KEEPER),
            "nats_ca": running.ca,
            "site": running.site or settings_of_environment().site,
            "http": running.http.partition("://")[2] or settings_of_environment().http,
        }
    )
    lasts, site = timedelta(hours=settings.enrolment_hours), site_of(settings)
    links: dict[str, str] = {}
    try:
        with closing(CaseLog(PEOPLE, jetstream_env(settings, "passage-people"))) as log:
            _require_no_supervisor(Directory(log))
            # Nothing that the keeper records here is personal: they are never asked.
            keys = RemoteKeys(log.connection, KEEPER, settings.request_timeout_s)
            for one in newcomers:
                token = new_token()
                _add(Writer(log, keys), one, token, lasts)
                links[one.account] = site.link(one.account, token)
    except RefusedError as refused:
        raise VerbEndedError(Exit.REFUSED, f"needs {refused.guard.satisfied_by}") from None
    except LogError as error:
        raise VerbEndedError(Exit.UNAVAILABLE, f"the log doesn't answer: {error}") from None
    return links


def is_supervised(person: PersonState) -> bool:
    return "supervisor" in person.roles and not person.suspended and bool(person.keys_held)


def _require_no_supervisor(directory: Directory) -> None:
    require(
        not any(is_supervised(directory.person(one)) for one in directory.accounts()),
        NO_SUPERVISOR,
    )


def _add(writer: Writer, newcomer: Newcomer, token: str, lasts: timedelta) -> None:
    now, command_id = datetime.now(UTC), uuid4().hex
    who: dict[str, Any] = {
        "command_id": command_id,
        "case_id": log_of(newcomer.account),
        "by": KEEPER,
    }
    cause = Cause(command_id, command_id, f"service:{KEEPER}", f"/{KEEPER}", now)
    add_person = AddPerson(**who, name=newcomer.name)
    offer = OfferEnrolment(**who, token_hash=hash_of(token))
    decide = partial(_decide, newcomer, add_person, offer, now + lasts)
    transact(writer, add_person.case_id, cause, decide)


def _decide(
    newcomer: Newcomer,
    add_person: AddPerson,
    offer: OfferEnrolment,
    expires_at: datetime,
    person: PersonState,
) -> list[Event]:
    """Whoever was added and has no key yet gets another link."""
    require(not person.keys, NO_KEY)
    events = [] if person.exists else added(person, add_person)
    missing = [role for role in newcomer.roles if role not in person.roles]
    events += [RoleGranted(role=role, by=KEEPER) for role in missing]
    return [*events, *offered(person, offer, expires_at)]
