"""What `passage repair` would take from where, for every way in which two copies can differ."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.integrity.log_reading import last_sequence
from passage.integrity.repair import anew
from passage.integrity.repair import plan as plans
from passage.runner.nats_server import NatsServer
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from shared.witnesses.checkpoints import Line
from shared.witnesses.files import Witnessed
from shared.witnesses.heads import LogHeads
from tests.integrity.prepared import BEGUN_AT, fields, some_log
from tests.late import SOON_S, hanging

LOG = some_log(3, 10)
COUNT = len(LOG)
NOTHING = Witnessed(())


def witnessed(log: list[StoredMessage], *at: int, kind: str = "checkpoint") -> Witnessed:
    heads, lines = LogHeads(), list[Line]()
    for one in log:
        heads.take(one.sequence, one.subject, one.body)
        if one.sequence in at:
            told: dict[str, Any] = {"kind": kind, "number": len(lines) + 1, "at": BEGUN_AT}
            told |= {"cases": heads.cases, "digest": heads.digest.hex()}
            lines.append(Line.model_validate(fields(one.sequence, **told)))
    return Witnessed(lines)


def moved(log: list[StoredMessage], by: int) -> list[StoredMessage]:
    return [one._replace(sequence=one.sequence + by) for one in log]


def found(plan: plans.Plan) -> dict[str, int]:
    return dict(plans.counts(plan))


def test_two_equal_copies_stay_as_they_are() -> None:
    plan = plans.plan_of(LOG, LOG, witnessed(LOG, 10, COUNT))
    assert found(plan) == {plans.SAME: COUNT}
    assert (plan.last, plan.kept, plan.lost, plan.cases) == (COUNT, COUNT, 0, 3)


def test_a_stream_that_was_cut_comes_from_the_archive() -> None:
    plan = plans.plan_of(LOG, LOG[:12], NOTHING)
    assert found(plan) == {plans.SAME: 12, plans.MISSING: COUNT - 12}


def test_altered_and_inserted_events_are_left_out_and_displaced_ones_stand_again() -> None:
    forged = LOG[4]._replace(body=b"{}")
    stream = [*LOG[:4], forged, *moved(LOG[4:], 1)]
    plan = plans.plan_of(LOG, stream, NOTHING)
    assert found(plan) == {
        plans.SAME: 4,
        plans.DIFFERING: COUNT - 4,
        plans.FOREIGN: 1,
        plans.DISPLACED: COUNT - 4,
    }
    assert (plan.lost, plan.last) == (0, COUNT)


def test_what_is_newer_than_the_archive_is_taken_from_the_stream() -> None:
    plan = plans.plan_of(LOG[:20], LOG, witnessed(LOG, 25))
    assert found(plan) == {plans.SAME: 20, plans.NEWER: COUNT - 20}
    assert [one.sequence for one in plan.newer] == list(range(21, COUNT + 1))
    heads = LogHeads()
    for one in LOG:
        heads.take(one.sequence, one.subject, one.body)
    assert (plan.digest, plan.kept) == (heads.digest, COUNT)


def test_behind_a_hole_what_still_fits_moves_down_and_the_rest_is_lost() -> None:
    # Sequences of one case are three apart: without 22 its next ones, 25 and 28, don't fit.
    stream = [one for one in LOG if one.sequence != 22]
    plan = plans.plan_of(LOG[:20], stream, NOTHING)
    assert found(plan) == {plans.SAME: 20, plans.NEWER: 1, plans.MOVED: 6, plans.UNSOUND: 2}
    assert (plan.kept, plan.lost) == (21, 3)
    assert [one.sequence for one in plan.newer] == list(range(21, 28))


def test_newer_events_that_a_checkpoint_contradicts_are_not_taken() -> None:
    forged = LOG[27]._replace(body=LOG[27].body.replace(b"Olena", b"Petro"))
    stream = [*LOG[:27], forged, *LOG[28:]]
    plan = plans.plan_of(LOG[:20], stream, witnessed(LOG, 24, COUNT))
    assert found(plan) == {plans.SAME: 20, plans.NEWER: 4, plans.CONTRADICTED: 6}
    assert (plan.last, plan.kept, plan.lost) == (24, 24, 6)


def test_what_was_added_after_the_end_is_not_taken() -> None:
    plan = plans.plan_of(LOG[:20], LOG, witnessed(LOG[:20], 20, kind="ended"))
    assert found(plan) == {plans.SAME: 20, plans.AFTER_THE_END: COUNT - 20}
    assert plan.lost == 0


def test_events_that_only_a_checkpoint_tells_of_are_lost_and_counted() -> None:
    plan = plans.plan_of(LOG[:20], LOG[:22], witnessed(LOG, 25))
    assert (plan.last, plan.kept, plan.lost) == (22, 22, 3)


@pytest.mark.parametrize("check", ["chain", "contiguous", "witness"])
def test_an_archive_that_is_unsound_itself_is_not_used(check: str) -> None:
    forged = LOG[9]._replace(body=LOG[9].body.replace(b"Olena", b"Petro"))
    archive = {
        "chain": [*LOG[:9], forged, *LOG[10:]],
        "contiguous": [*LOG[:9], *LOG[10:]],
        "witness": [*LOG[:9], forged],
    }[check]
    with pytest.raises(plans.ArchiveUnsoundError, match=check):
        plans.plan_of(archive, LOG, witnessed(LOG, 10) if check == "witness" else NOTHING)


def test_without_an_archive_the_sound_part_of_the_stream_is_taken() -> None:
    plan = plans.plan_of([], LOG, witnessed(LOG, 25))
    assert found(plan) == {plans.NEWER: COUNT}
    assert replace(plan, newer=[]).archived == 0


def with_junk(log: list[StoredMessage], at: int) -> list[StoredMessage]:
    """Stores something that is no event at a sequence; later events move up by one."""
    junk = StoredMessage(at, "cases.CASE0001.x.NoteAdded", b"{}")
    return [*log[: at - 1], junk, *moved(log[at - 1 :], 1)]


@pytest.mark.parametrize("known_by", ["a checkpoint", "the stream"])
def test_junk_that_a_second_copy_knows_stays_at_its_sequence(known_by: str) -> None:
    log = with_junk(LOG, 12)
    if known_by == "the stream":
        plan = plans.plan_of(log, log[:20], NOTHING)
    else:
        plan = plans.plan_of(log, log[:5], witnessed(log, 20))
    assert found(plan)[plans.ASIDE] == 1
    assert (plan.aside.sequences(), plan.last, plan.lost) == (frozenset({12}), COUNT + 1, 0)


def test_junk_newer_than_the_archive_stays_where_a_checkpoint_knows_it() -> None:
    log = with_junk(LOG, 22)
    plan = plans.plan_of(LOG[:20], log, witnessed(log, 25))
    assert found(plan) == {plans.SAME: 20, plans.NEWER: COUNT - 19, plans.ASIDE: 1}
    assert (plan.newer, plan.lost) == (log[20:], 0)


def test_junk_that_nobody_else_knows_is_left_out() -> None:
    log = with_junk(LOG, 22)
    plan = plans.plan_of(LOG[:20], log, NOTHING)
    assert found(plan) == {
        plans.SAME: 20,
        plans.NEWER: 1,
        plans.MOVED: COUNT - 21,
        plans.UNSOUND: 1,
    }


def test_a_break_behind_a_row_that_the_stream_has_otherwise_is_no_junk() -> None:
    forged = LOG[9]._replace(body=LOG[9].body.replace(b"Olena", b"Petro"))
    archive = with_junk([*LOG[:9], forged, *LOG[10:]], 15)
    stream = with_junk(LOG, 15)
    with pytest.raises(plans.ArchiveUnsoundError, match="chain: sequence 13"):
        plans.plan_of(archive, stream, NOTHING)


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[RawClient]:
    async with connected(server.url) as connection:
        await anew.make_anew(connection, 1)
        yield connection


async def test_no_more_is_sent_before_what_is_under_way_is_acknowledged(
    client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anew, "UNDER_WAY_MAX", 7)
    stored: list[int] = []

    def events() -> Iterator[StoredMessage]:
        for sent, event in enumerate(LOG):
            assert sent - sum(stored) < anew.UNDER_WAY_MAX
            yield event

    await anew.store(client, events(), stored.append)
    assert stored == [7, 7, 7, 7, 2]
    assert await last_sequence(client, "CASES") == len(LOG)


async def test_an_event_that_is_not_acknowledged_in_time_ends_it_and_it_may_be_run_again(
    server: NatsServer, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(anew, "ACK_TIMEOUT_S", SOON_S)
        async with hanging(server):
            with pytest.raises(VerbEndedError) as ended:
                await anew.store(client, LOG[:1], lambda _: None)
    assert ended.value.code == Exit.FAILED
    assert str(ended.value) == (
        "the new stream is not whole (no answer for sequence 1); run `passage repair` again"
    )
    await anew.make_anew(client, 1)
    await anew.store(client, LOG, lambda _: None)
    assert await last_sequence(client, "CASES") == len(LOG)
