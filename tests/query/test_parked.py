"""What is parked is listed for everybody and read by supervisors alone; that is recorded first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.keys.boxes import box_up
from shared.parked.messages import Waiting
from shared.parked.parking import Parked
from tests.query.asking import asked
from tests.query.fixed_keys import INTAKE_PRIVATE, FixedKeys
from tests.query.stage import MemoryLog

SUPERVISOR = "Taras Example"
LOOKS = {"by": SUPERVISOR, "purpose": "what is it"}
PARKED_ID = "0123456789abcdef" * 2


def waiting(sequence: int, content: bytes) -> Waiting:
    return Waiting(
        sequence,
        Parked(
            parked_id=PARKED_ID,
            service="intake",
            reason="not_json",
            deliveries=1,
            parked_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
            subject="calls.telegram",
            stream="CALLS_telegram",
            sequence=7,
            original=box_up(INTAKE_PRIVATE.public_key, content),
        ),
    )


async def test_the_list_says_where_and_why_and_not_what(tmp_path: Path) -> None:
    parked = (waiting(3, b"a secret"), Waiting(4, None))
    async with asked(MemoryLog(), tmp_path, parked=parked) as desk:
        page = (await desk.http.get("/api/parked")).json()
        rest = (await desk.http.get("/api/parked", params={"after": 3})).json()
    first, unreadable = page["items"]
    assert (first["parked_id"], first["sequence"], first["reason"]) == (PARKED_ID, 3, "not_json")
    assert (unreadable["sequence"], unreadable["parked_id"]) == (4, None)
    assert rest["items"] == [unreadable]
    assert "original" not in first
    assert page["next"] is None


@pytest.mark.parametrize(
    ("content", "text", "base64"),
    [("хочу жить".encode(), "хочу жить", None), (b"\xff\xfe", None, "//4=")],
)
async def test_a_supervisor_reads_a_parked_message_after_it_was_recorded(
    tmp_path: Path, content: bytes, text: str | None, base64: str | None
) -> None:
    keys = FixedKeys()
    stage = asked(MemoryLog(), tmp_path, keys, supervisors=SUPERVISOR, parked=[waiting(3, content)])
    async with stage as desk:
        shown = await desk.http.post("/api/parked/3/read", json=LOOKS)
        nothing = await desk.http.post("/api/parked/9/read", json=LOOKS)
        other = await desk.http.post("/api/parked/3/read", json={**LOOKS, "by": "Olena Example"})
    assert (shown.json()["text"], shown.json()["base64"]) == (text, base64)
    assert (nothing.status_code, other.status_code) == (404, 403)
    (recorded,) = keys.handled
    assert (recorded.by, recorded.purpose, recorded.use) == (*LOOKS.values(), "read")
    assert (recorded.parked_id, recorded.sequence) == (PARKED_ID, 3)


async def test_nothing_is_read_while_sealed_or_by_whoever_gives_no_purpose(tmp_path: Path) -> None:
    keys = FixedKeys(sealed=True)
    async with asked(MemoryLog(), tmp_path, keys, parked=[waiting(3, b"x")]) as desk:
        sealed = await desk.http.post("/api/parked/3/read", json=LOOKS)
        idle = await desk.http.post("/api/parked/3/read", json={"by": SUPERVISOR})
    assert (sealed.status_code, idle.status_code) == (503, 422)


async def test_the_page_lists_what_waits(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path, parked=[waiting(3, b"a secret")]) as desk:
        page = await desk.http.get("/parked")
        none = await desk.http.get("/parked", params={"after": 3})
    assert (page.status_code, PARKED_ID in page.text, "secret" in page.text) == (200, True, False)
    assert "Nothing waits here" in none.text
