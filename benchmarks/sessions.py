"""A person who is logged in, for whoever asks query without a whole system to log in to."""

from contextlib import closing
from datetime import UTC, datetime

from services.query.logins.sessions import Sessions
from shared import subjects
from shared.commands.people import AddPerson
from shared.events.event_of import event_of
from shared.events.people import PersonAdded, Role, RoleGranted, log_of
from shared.jetstream.buckets import Bucket
from shared.keys.client import RemoteKeys
from shared.log.case_log import CaseLog, jetstream_env
from shared.log.transact import Cause, Writer, transact
from shared.people.directory import PEOPLE
from shared.people.state import PersonState
from shared.settings import Settings

AT_THE_DESK: tuple[Role, ...] = ("operator", "verifier", "coordinator", "supervisor")
ACCOUNT = "olena"
EVENTS = 1 + len(AT_THE_DESK)
"""How many events it adds to the log; none if she was added before."""


def session_on(settings: Settings) -> dict[str, str]:
    """The headers of her requests."""
    with closing(CaseLog(PEOPLE, jetstream_env(settings, "passage-session"))) as log:
        writer = Writer(log, RemoteKeys(log.connection, "desk", settings.request_timeout_s))
        person = log.load_current(log_of(ACCOUNT)).state
        if not person.exists:
            _add(writer)
            person = log.load_current(log_of(ACCOUNT)).state
        bucket = Bucket(log.connection, subjects.SESSIONS_BUCKET, settings.request_timeout_s)
        token = Sessions(bucket, lambda _: person).begin(person, "key_file")
    return {"authorization": f"Bearer {token}"}


def _add(writer: Writer) -> None:
    command = AddPerson(
        command_id="session", case_id=log_of(ACCOUNT), by=ACCOUNT, name="Olena Example"
    )
    cause = Cause("session", "session", "service:desk", "/services/desk", datetime.now(UTC))

    def decide(_: PersonState) -> list[PersonAdded | RoleGranted]:
        granted = [RoleGranted(role=one, by=ACCOUNT) for one in AT_THE_DESK]
        return [event_of(PersonAdded, command), *granted]

    transact(writer, command.case_id, cause, decide)
