"""Who somebody is now, by the log's leader; what every service asks before it believes anyone."""

from shared.events.people import KeyRegistered, log_of
from shared.jetstream import JetStreamApplicationRecorder
from shared.log.case_log import CaseLog, Fold, jetstream_env
from shared.people.state import PersonState, evolve_person
from shared.settings import Settings
from shared.subjects import case_events

PEOPLE = Fold(PersonState(), evolve_person)


class Directory:
    """Over a log of its own, as a service folds its own state from the same events."""

    def __init__(self, log: CaseLog[PersonState]) -> None:
        self._log = log
        self._anybody = False

    @classmethod
    def over(cls, settings: Settings, service: str) -> "Directory":
        return cls(CaseLog(PEOPLE, jetstream_env(settings, f"passage-{service}-people")))

    def person(self, account: str) -> PersonState:
        """As the log has them now; of nobody by that account, an empty one.

        Raises LogError, ChainBrokenError and UnreadableEventError.
        """
        return self._log.load_current(log_of(account)).state

    def anybody_signs(self) -> bool:
        """Whether a key was ever registered; from then on signatures are asked for, for good."""
        recorder = self._log.recorder
        if not self._anybody and isinstance(recorder, JetStreamApplicationRecorder):
            registered = case_events(KeyRegistered.__name__)
            found = recorder.log.stream.leader_message(seq=1, next_by_subj=registered)
            self._anybody = found is not None
        return self._anybody

    def close(self) -> None:
        self._log.close()
