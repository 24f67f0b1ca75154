"""Who somebody is now, by the log's leader; what every service asks before it believes anyone."""

from shared.events.people import log_of
from shared.log.case_log import CaseLog, Fold, jetstream_env
from shared.people.state import PersonState, evolve_person
from shared.settings import Settings

PEOPLE = Fold(PersonState(), evolve_person)


class Directory:
    """Over a log of its own, as a service folds its own state from the same events."""

    def __init__(self, log: CaseLog[PersonState]) -> None:
        self._log = log

    @classmethod
    def over(cls, settings: Settings, service: str) -> "Directory":
        return cls(CaseLog(PEOPLE, jetstream_env(settings, f"passage-{service}-people")))

    def person(self, account: str) -> PersonState:
        """As the log has them now; of nobody by that account, an empty one.

        Raises LogError, ChainBrokenError and UnreadableEventError.
        """
        return self._log.load_current(log_of(account)).state

    def close(self) -> None:
        self._log.close()
