"""The ways to log in, wired to the server's buckets."""

from services.query.logins.challenges import Challenges
from services.query.logins.counters import Counters
from services.query.logins.sessions import Sessions
from services.query.logins.ways import Ways
from shared import subjects
from shared.jetstream.buckets import Bucket
from shared.jetstream.connection import Connection
from shared.people.signed import Known
from shared.people.site import site_of
from shared.settings import Settings


def ways_of(settings: Settings, connection: Connection, people: Known) -> Ways:
    def bucket(name: str) -> Bucket:
        return Bucket(connection, name, settings.request_timeout_s)

    return Ways(
        site_of(settings),
        Sessions(bucket(subjects.SESSIONS_BUCKET), people.person),
        Challenges(bucket(subjects.CHALLENGES_BUCKET)),
        Counters(bucket(subjects.LOGIN_COUNTERS_BUCKET)),
        people,
    )
