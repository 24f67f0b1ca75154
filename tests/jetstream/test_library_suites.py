"""The library's shipped suites, unmodified, on one server and on a cluster of three.

Only how long the library waits for a projection by default is more than its 1 s (`be_patient`).

Hooks used, all of them the suites' own: `create_recorder`, `new_originator_id`, `view_class`,
`construct_event_counters_view`, `expected_*`, `tracking_recorder_subclass`, and
`optional_test_insert_subscribe`, which a recorder with subscriptions calls from a test of its own
(as the library's tests of its PostgreSQL recorder do). `EXPECT_CONTIGUOUS_NOTIFICATION_IDS` keeps
its default, true: an application's stream holds nothing but its events.
"""

import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)
from eventsourcing.projection import EventSourcedProjectionRunner
from eventsourcing.tests import application, persistence, projection
from eventsourcing.utils import Environment
from typing_extensions import override

from shared.jetstream import (
    JetStreamAggregateRecorder,
    JetStreamApplicationRecorder,
    JetStreamFactory,
    JetStreamProcessRecorder,
    JetStreamTrackingRecorder,
)
from tests.waiting import WITHIN_S

IN_VAIN = TrackingRecorder.wait.__defaults__


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the suites wait for a projection longer than their 1 s: a busy machine may stall."""
    monkeypatch.setattr(TrackingRecorder.wait, "__defaults__", (WITHIN_S, None))
    monkeypatch.setattr(EventSourcedProjectionRunner.wait, "__defaults__", (WITHIN_S,))


class OnOneServer:
    settings: dict[str, str]

    @pytest.fixture(autouse=True)
    def take_settings(self, r1_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = r1_env
        be_patient(monkeypatch)
        # Some suites construct applications without settings, from the process's environment.
        for name, value in r1_env.items():
            monkeypatch.setenv(name, value)

    def new_factory(self) -> JetStreamFactory:
        return JetStreamFactory(Environment("Suite", self.settings))


class OnThreeServers(OnOneServer):
    @override
    @pytest.fixture(autouse=True)
    def take_settings(self, r3_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = r3_env
        be_patient(monkeypatch)
        for name, value in r3_env.items():
            monkeypatch.setenv(name, value)


class TestAggregateRecorder(OnOneServer, persistence.AggregateRecorderTestCase):
    @override
    def create_recorder(self) -> AggregateRecorder:
        return self.new_factory().aggregate_recorder()


class TestAggregateRecorderR3(OnThreeServers, TestAggregateRecorder):
    pass


class TestApplicationRecorder(OnOneServer, persistence.ApplicationRecorderTestCase):
    @override
    def create_recorder(self) -> ApplicationRecorder:
        return self.new_factory().application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationRecorderR3(OnThreeServers, TestApplicationRecorder):
    pass


class TestApplicationRecorderWithTextIds(TestApplicationRecorder):
    @override
    def new_originator_id(self) -> str:
        return f"test.case/{super().new_originator_id()}"

    @override
    def create_recorder(self) -> ApplicationRecorder:
        self.settings["ORIGINATOR_ID_TYPE"] = "text"
        return super().create_recorder()


class TestTrackingRecorder(OnOneServer, persistence.TrackingRecorderTestCase):
    @override
    def create_recorder(self) -> TrackingRecorder:
        return self.new_factory().tracking_recorder()


class TestTrackingRecorderR3(OnThreeServers, TestTrackingRecorder):
    pass


class TestProcessRecorder(OnOneServer, persistence.ProcessRecorderTestCase):
    @override
    def create_recorder(self) -> ProcessRecorder:
        return self.new_factory().process_recorder()


class TestProcessRecorderR3(OnThreeServers, TestProcessRecorder):
    pass


class TestNonInterleaving(OnOneServer, persistence.NonInterleavingNotificationIDsBaseCase):
    @override
    def create_recorder(self) -> ApplicationRecorder:
        return self.new_factory().application_recorder()


class TestNonInterleavingR3(OnThreeServers, TestNonInterleaving):
    pass


class OtherTrackingRecorder(JetStreamTrackingRecorder):
    """What an application may put in the place of the tracking recorder."""


class TestFactory(OnOneServer, persistence.InfrastructureFactoryTestCase[JetStreamFactory]):
    @override
    def setUp(self) -> None:
        self.env = Environment("TestCase", self.settings)
        super().setUp()

    @override
    def expected_factory_class(self) -> type[JetStreamFactory]:
        return JetStreamFactory

    @override
    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return JetStreamAggregateRecorder

    @override
    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return JetStreamApplicationRecorder

    @override
    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return JetStreamTrackingRecorder

    @override
    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return OtherTrackingRecorder

    @override
    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return JetStreamProcessRecorder


class TestFactoryR3(OnThreeServers, TestFactory):
    pass


class TestExampleApplication(OnOneServer, application.ExampleApplicationTestCase):
    expected_factory_topic = "shared.jetstream.factory:JetStreamFactory"


class TestExampleApplicationR3(OnThreeServers, TestExampleApplication):
    pass


# The suite records a deprecation warning itself, which pytest's "error" would raise before.
@pytest.mark.filterwarnings("default::DeprecationWarning")
class TestApplication(OnOneServer, application.ApplicationTestCase):
    pass


class TestApplicationR3(OnThreeServers, TestApplication):
    pass


class EventCounters(JetStreamProcessRecorder, projection.EventCountersView):
    """Counts as the versions of two originators, stored together with the position."""

    @override
    def get_created_event_counter(self) -> int:
        return self._count("created")

    @override
    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    @override
    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment("created", tracking)

    @override
    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment("subsequent", tracking)

    def _count(self, counter: str) -> int:
        newest = self.log.stream.leader_message(
            last_by_subj=self.log.subjects.originator_filter(counter)
        )
        address = None if newest is None else self.log.subjects.read(newest.subject)
        return 0 if address is None else address.version

    def _increment(self, counter: str, tracking: Tracking) -> None:
        event = StoredEvent(counter, self._count(counter) + 1, "Counted", b"")
        self.insert_events([event], tracking=tracking)


class TestEventCountersView(OnOneServer, projection.EventCountersViewTestCase):
    @override
    def construct_event_counters_view(self) -> projection.EventCountersView:
        view = self.new_factory().tracking_recorder(EventCounters)
        assert isinstance(view, EventCounters)
        return view


class TestEventCountersViewR3(OnThreeServers, TestEventCountersView):
    pass


class TestProjection(OnOneServer, projection.AggregateEventCountersProjectionTestCase):
    view_class = EventCounters

    @override
    def test_run_forever_raises_projection_error(self) -> None:
        # At its end the suite waits in vain: for its own second, then, and not for ours.
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(TrackingRecorder.wait, "__defaults__", IN_VAIN)
            super().test_run_forever_raises_projection_error()


class TestProjectionR3(OnThreeServers, TestProjection):
    pass


class TestEventSourcedProjection(OnOneServer, projection.EventSourcedProjectionTestCase):
    pass


class TestEventSourcedProjectionR3(OnThreeServers, TestEventSourcedProjection):
    pass


def test_module_names_one_factory(r1_env: dict[str, str]) -> None:
    assert type(InfrastructureFactory.construct(Environment("A", r1_env))) is JetStreamFactory
