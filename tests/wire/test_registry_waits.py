"""A registry that says nothing, on a real server: the late timer fires once, and the end comes."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError

from services.verification import CLAIMS
from shared import subjects
from shared.commands.intake import ProvidePersonalData
from shared.deadlines import ALL_SET
from tests.wire.conftest import ANSWER_WITHIN_S, Site

pytestmark = pytest.mark.wire
STREAM = subjects.timers_stream("verification")


async def told_overdue(site: Site) -> str:
    """Waits for a case whose registry is overdue, and gives its number."""
    while True:
        event = await site.next_event("VerificationEscalated")
        if event.data.reason == "overdue":
            return event.subject


async def all_timers_set(site: Site) -> None:
    subject = subjects.timer("verification", ALL_SET.name)
    while True:
        try:
            await site.jetstream.get_last_msg(STREAM, subject)
        except NotFoundError:
            continue
        return


async def test_a_claim_of_the_day_before_yesterday_is_overdue_once(
    site: Site, tmp_path: Path
) -> None:
    missing = tmp_path / "no_registry.db"
    site.settings = site.settings.model_copy(update={"registry_file": missing})
    long_ago = datetime.now(UTC) - timedelta(days=2)
    first, second = "+380440000001", "+380440000002"
    async with site.service("intake"):
        for address in (first, second):
            await site.call(address)
            case_id = (await site.next_event("CaseOpened")).subject
            await site.record(
                ProvidePersonalData,
                case_id,
                identity={"surname": "Beispiel"},
                happened_at=long_ago,
            )
        async with site.service("verification"):
            overdue = {await told_overdue(site), await told_overdue(site)}
            assert len(overdue) == 2
            await all_timers_set(site)
        # As after a restore: the timers are lost, and are set anew from the log.
        await site.jetstream.purge_stream(STREAM)
        async with site.service("verification"):
            await all_timers_set(site)
            await site.call("+380440000003")
            third = (await site.next_event("CaseOpened")).subject
            await site.record(
                ProvidePersonalData, third, identity={"surname": "Vzorov"}, happened_at=long_ago
            )
            assert await told_overdue(site) == third


async def test_a_registry_that_is_stuck_does_not_hold_up_the_end(intake: Site) -> None:
    site = intake
    stuck = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.wire.stuck_verification"),
        env=process_env(site),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await site.call()
            case_id = (await site.next_event("CaseOpened")).subject
            await site.record(ProvidePersonalData, case_id, identity={"surname": "Beispiel"})
            assert stuck.stdout is not None
            assert await stuck.stdout.readline() == b"asked\n"
            stuck.terminate()
            # Nobody has written to its standard input: the registry hangs still.
            assert await stuck.wait() == 0
        assert stuck.stderr is not None
        assert await stuck.stdout.read() == b"and said, but not flushed"
        assert await stuck.stderr.read() == b""
    finally:
        with suppress(ProcessLookupError):
            stuck.kill()
        await stuck.wait()
    # Its question is delivered again, and nothing of it is recorded.
    claims = await site.jetstream.consumer_info(subjects.CASES, CLAIMS.name)
    assert claims.num_ack_pending == 1
    assert await site.history(case_id) == ["CaseOpened", "PersonalDataProvided"]


def process_env(site: Site) -> dict[str, str]:
    """The environment of a service's process on a site."""
    settings = site.settings
    return {
        **os.environ,
        "PASSAGE_NATS_URL": settings.nats_url,
        "PASSAGE_KEYS_DIR": str(settings.keys_dir),
        "PASSAGE_REGISTRY_FILE": str(settings.registry_file),
        "PASSAGE_FSYNC": settings.fsync,
        "PASSAGE_THREADS": str(settings.threads),
        "PASSAGE_LOG_LEVEL": settings.log_level,
    }
