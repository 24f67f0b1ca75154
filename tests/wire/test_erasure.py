"""Erasure through real services: asked while he is guided, and his places after handover."""

import asyncio
import json
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from passage.connecting import connected
from passage.integrity.erasure.proof import look
from passage.integrity.log_reading import last_sequence, read_stream
from passage.running import Running
from services.intake.deadlines import LOCATION_RETENTION
from services.keyholder.entries import Entry
from services.query.feed.database import Database, open_database
from services.query.feed.generations import Generations
from shared import subjects
from shared.bus.timers import Timer, Timers
from shared.commands.base import Ignored, Unavailable
from shared.commands.handover import RecordArrival
from shared.commands.intake import AddNote, ErasePersonalData, ProvidePersonalData
from shared.jetstream.buckets import BucketEntry
from shared.jetstream.stored import StoredMessage
from tests.integrity.prepared import recorded
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.test_lifecycle import HIM, PLACE, guided, hand_over, verified

SERVICES = ("intake", "verification", "handover")
REQUEST = {"legal_basis": "request_of_person", "reference": "letter 17"}


async def test_a_verified_man_is_erased_once_and_what_he_gives_later_again(
    all_services: Site,
) -> None:  # E18
    case_id, _ = await verified(all_services)
    unnamed = {"legal_basis": "request_of_person"}
    await all_services.refused("request_named", ErasePersonalData, case_id, **unnamed)
    done = await all_services.record(ErasePersonalData, case_id, **REQUEST)
    assert done.events == ("PersonalDataErased",)
    assert isinstance(
        await all_services.ask(ErasePersonalData, case_id, classes=["identity"], **REQUEST), Ignored
    )
    # The key holder hears of the erasure a moment later, and gives no new keys before.
    given: dict[str, Any] = {"command_id": "same", "identity": HIM}
    while isinstance(await all_services.ask(ProvidePersonalData, case_id, **given), Unavailable):
        pass
    await all_services.next_event("RegistryChecked")
    again = await all_services.record(ErasePersonalData, case_id, classes=["identity"], **REQUEST)
    assert again.events == ("PersonalDataErased",)


async def test_a_timer_that_fell_due_while_intake_was_away_is_done_when_it_is_back(
    site: Site,
) -> None:
    async with AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(site.service(name))
        case_id, _ = await guided(site)
        await site.running["intake"].bus.broker.stop()
        await hand_over(site, case_id)
        received_at = (await site.next_event("HandedOver")).data.received_at
        due = Timer(kind=LOCATION_RETENTION, about=case_id, due_at=received_at)
        Timers(site.running["handover"].log.connection, "intake", 5.0).set(due)
    site.settings = site.settings.model_copy(update={"location_retention_hours": 0.0})
    async with site.service("intake"):
        erased = await site.next_event("PersonalDataErased")
    assert (erased.data.classes, erased.causationid) == (("location",), due.cause_id)


CASES = 100
AT_ONCE = 10
KEPT = 10
"""Cases that nobody asks to be erased; they must stay as they are."""
VALUES = 4
"""Sealed values of each case: the caller's address and words, who he is, and where."""


@dataclass
class ReadModels:
    """query's rows, folded from the log up to where it was read."""

    database: Database
    generations: Generations
    read: int = 0

    @classmethod
    def at(cls, url: str) -> Self:
        database = open_database(url)
        generations = Generations(database)
        generations.open()
        return cls(database, generations)

    async def follow(self, site: Site) -> None:
        log = await log_of(site)
        new = [recorded(one) for one in log if one.sequence > self.read]
        self.generations.following.apply(new, self.read)
        self.read = log[-1].sequence

    def counts(self) -> dict[str, list[tuple[Any, ...]]]:
        tables = self.generations.following.tables
        with self.database.reader.connect() as connection:
            return {
                table.name: sorted(tuple(row) for row in connection.execute(select(table)))
                for table in (tables.statistics_calls, tables.statistics_funnel)
            }

    def timeline(self, case_id: str) -> list[str]:
        table = self.generations.following.tables.case_timeline
        query = select(table.c.type_name).where(table.c.case_id == case_id)
        with self.database.reader.connect() as connection:
            return list(connection.execute(query.order_by(table.c.version)).scalars())


async def registered(site: Site, number: int) -> str:
    """A case with something in every class."""
    call_id = await site.call(f"+38044{number:07}")
    index = site.running["intake"].bucket(subjects.INDEX_BUCKET)
    async with asyncio.timeout(WITHIN_S):
        while not (case_id := case_of(index.get(f"call.phone.{call_id}"))):
            await site.client.flush()
        await site.calls_left()
    await site.record(ProvidePersonalData, case_id, identity=HIM)
    await site.record(RecordArrival, case_id, place=PLACE)
    return case_id


def case_of(entry: BucketEntry | None) -> str:
    return "" if entry is None else str(json.loads(entry.value)["case_id"])


async def in_tens(site: Site, do: Any, items: list[Any]) -> list[Any]:
    done: list[Any] = []
    for start in range(0, len(items), AT_ONCE):
        done += await asyncio.gather(*(do(site, one) for one in items[start : start + AT_ONCE]))
    return done


async def erased(site: Site, case_id: str) -> None:
    """Asks until the case stood still between the look and the request."""
    answer: Any = None
    while getattr(answer, "result", "refused") in {"refused", "unavailable"}:
        answer = await site.ask(
            ErasePersonalData, case_id, legal_basis="request_of_person", reference="letter 17"
        )


async def destroyed(site: Site, case_ids: list[str]) -> None:
    """Waits until the key holder has done its part."""
    bucket = site.running["keyholder"].bucket(subjects.KEYS_BUCKET)
    async with asyncio.timeout(3 * WITHIN_S):
        for case_id in case_ids:
            while True:
                kept = bucket.get(case_id)
                assert kept is not None
                entry = Entry.model_validate_json(kept.value)
                if all(key.wrapped is None for key in entry.keys.values()):
                    break
                await site.client.flush()


def running_at(site: Site, database: str) -> Running:
    return Running(
        nats=site.settings.nats_url,
        http="",
        keys=site.settings.keys_dir,
        registry=site.settings.registry_file,
        database=database,
    )


async def rotate(site: Site) -> None:
    subject = subjects.keyholder("rotate", "keeper")
    reply = await site.client.request(subject, b"", timeout=WITHIN_S)
    assert not json.loads(reply.data).get("damaged", ["refused"]), reply.data


async def test_a_hundred_erased_cases_open_nowhere_and_counts_stay(
    site: Site, tmp_path: Path
) -> None:
    running = running_at(site, f"sqlite:///{tmp_path / 'query.db'}")
    models = ReadModels.at(running.database)
    async with AsyncExitStack() as stack:
        for name in ("intake", "handover"):
            await stack.enter_async_context(site.service(name))
        cases = await in_tens(site, registered, list(range(CASES + KEPT)))
        kept, cases = cases[CASES:], cases[:CASES]
        await models.follow(site)
        before = models.counts()
        (tmp_path / "export.jsonl").write_bytes(await exported(site))
        backup = shutil.copytree(
            site.server.store_path, tmp_path / "backup", ignore=shutil.ignore_patterns("*.tmp")
        )

        await in_tens(site, erased, cases)
        await destroyed(site, cases)
        await models.follow(site)

        for case_id in cases:
            looked = await look(running, case_id, {"export": tmp_path / "export.jsonl"})
            assert len(list(looked.erasures.must_stay_closed())) >= VALUES
            assert looked.findings.errors == 0, looked.findings.kept
        assert models.counts() == before
        assert models.timeline(cases[0])[-1] == "PersonalDataErased"

        # A backup holds the keys as they were: it opens until its epoch is dropped.
        assert (await look(running, cases[0], {"backup": backup})).findings.errors >= VALUES
        for _ in range(3):
            await rotate(site)
        for case_id in cases:
            looked = await look(running, case_id, {"backup": backup})
            assert len(looked.erasures.copies) > CASES
            assert looked.findings.errors == 0, looked.findings.kept
        looked = await look(running, cases[0], {"store": site.server.store_path})
        assert looked.findings.errors == 0, looked.findings.kept
        for case_id in kept:
            await site.record(AddNote, case_id, text="still here")
    models.database.dispose()


async def exported(site: Site) -> bytes:
    return b"".join(one.body + b"\n" for one in await log_of(site))


async def log_of(site: Site) -> list[StoredMessage]:
    async with connected(site.settings.nats_url) as client:
        last = await last_sequence(client, subjects.CASES)
        return [one async for one in read_stream(client, subjects.CASES, last)]
