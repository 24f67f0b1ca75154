"""Who somebody is now, by the log's leader; what every service asks before it believes anyone."""

from itertools import groupby, islice

from shared.events.people import OF_PEOPLE, KeyRegistered, PersonAdded, log_of
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
        self._anybody = self._several = False

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
        if not self._anybody:
            self._anybody = self._has_event(KeyRegistered.__name__)
        return self._anybody

    def several_sign(self) -> bool:
        """Whether two people ever held keys, for good, as far as the replica that answers knows."""
        if not self._several:
            registered = self._log.events_of_type(KeyRegistered.__name__)
            holders = groupby(one.subject for one in registered)
            self._several = len(list(islice(holders, 2))) > 1
        return self._several

    def _has_event(self, name: str) -> bool:
        recorder = self._log.recorder
        if not isinstance(recorder, JetStreamApplicationRecorder):
            return bool(list(recorder.select_notifications(1, 1, topics=[name])))
        asked: dict[str, str | int] = {"seq": 1, "next_by_subj": case_events(name)}
        return recorder.log.stream.leader_message(**asked) is not None

    def accounts(self) -> list[str]:
        """Everybody who was ever added, as far as the replica that answers knows."""
        found = self._log.events_of_type(PersonAdded.__name__)
        return [one.subject.removeprefix(OF_PEOPLE) for one in found]

    def close(self) -> None:
        self._log.close()
