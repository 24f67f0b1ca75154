"""What is parked, as supervisors see it: where and why, what it says, and how it is settled."""

import json
from pathlib import Path

import pytest
from typing_extensions import override

from services.query.api.parked import RETRY_TIMEOUT_S
from services.query.nats_connection import NatsConnection, NobodyAnswersError
from services.query.requests.body import PARKED_MAX
from shared.keys.boxes import box_up
from shared.parked.messages import Waiting
from shared.settings import Settings
from tests.passage.test_parked import GOOD
from tests.query.asking import OLENA, asked
from tests.query.fixed_keys import INTAKE_PRIVATE, FixedKeys
from tests.query.stage import MemoryLog

LOOKS = {"purpose": "oversight", "remark": "what is it"}
PARKED_ID = "0123456789abcdef" * 2


def waiting(sequence: int, content: bytes) -> Waiting:
    return Waiting(
        sequence,
        GOOD.model_copy(
            update={
                "parked_id": PARKED_ID,
                "original": box_up(INTAKE_PRIVATE.public_key, content),
            }
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
    stage = asked(MemoryLog(), tmp_path, keys, parked=[waiting(3, content)])
    async with stage as desk:
        shown = await desk.http.post("/api/parked/3/read", json=LOOKS)
        nothing = await desk.http.post("/api/parked/9/read", json=LOOKS)
        operator = desk.logins.let_in("petro", "operator")
        other = await desk.http.post("/api/parked/3/read", json=LOOKS, headers=operator)
    assert (shown.json()["text"], shown.json()["base64"]) == (text, base64)
    assert (nothing.status_code, other.status_code) == (404, 403)
    (recorded,) = keys.handled
    assert (recorded.by, recorded.purpose, recorded.use) == (OLENA, "oversight: what is it", "read")
    assert (recorded.parked_id, recorded.sequence) == (PARKED_ID, 3)


async def test_nothing_is_read_while_sealed_or_by_whoever_gives_no_purpose(tmp_path: Path) -> None:
    keys = FixedKeys(sealed=True)
    async with asked(MemoryLog(), tmp_path, keys, parked=[waiting(3, b"x")]) as desk:
        sealed = await desk.http.post("/api/parked/3/read", json=LOOKS)
        idle = await desk.http.post("/api/parked/3/read", json={})
    assert (sealed.status_code, idle.status_code) == (503, 422)


async def test_the_page_lists_what_waits(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path, parked=[waiting(3, b"a secret")]) as desk:
        page = await desk.http.get("/parked")
        none = await desk.http.get("/parked", params={"after": 3})
    assert (page.status_code, PARKED_ID in page.text, "secret" in page.text) == (200, True, False)
    assert "Nothing is waiting here" in none.text


async def test_what_one_channel_filled_the_list_with_hides_nothing_of_another(
    tmp_path: Path,
) -> None:
    flood = [waiting(number, b"junk") for number in range(1, PARKED_MAX + 1)]
    other = GOOD.model_copy(update={"stream": "CALLS_web", "parked_id": PARKED_ID[::-1]})
    parked = [*flood, Waiting(PARKED_MAX + 1, other)]
    async with asked(MemoryLog(), tmp_path, parked=parked) as desk:
        first = await desk.http.get("/parked")
        of_web = await desk.http.get("/parked", params={"stream": "CALLS_web"})
        listed = (await desk.http.get("/api/parked", params={"stream": "CALLS_web"})).json()
        odd = await desk.http.get("/api/parked", params={"stream": "CALLS_>"})
    assert '<a href="/parked?stream=CALLS_web">' in first.text
    assert (other.parked_id in first.text, other.parked_id in of_web.text) == (False, True)
    assert [one["parked_id"] for one in listed["items"]] == [other.parked_id]
    assert odd.status_code == 422


class Asking(NatsConnection):
    """A connection on which a service answers, or nobody."""

    answer: bytes | None = None

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[tuple[str, bytes, float]] = []

    @override
    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        self.asked.append((subject, body, timeout_s))
        if self.answer is None:
            raise NobodyAnswersError("it is not running")
        return self.answer


async def test_a_supervisor_has_a_parked_message_tried_again(tmp_path: Path) -> None:
    nats = Asking(Settings())
    parked = [waiting(3, b"a secret"), Waiting(4, None)]
    async with asked(MemoryLog(), tmp_path, nats=nats, parked=parked) as desk:
        silent = await desk.http.post("/api/parked/3/retry")
        nats.answer = b'{"result": "still_parked", "reason": "box_broken"}'
        tried = await desk.http.post("/api/parked/3/retry")
        unreadable = await desk.http.post("/api/parked/4/retry")
        operator = desk.logins.let_in("petro", "operator")
        other = await desk.http.post("/api/parked/3/retry", headers=operator)
    assert (silent.status_code, silent.json()["service"]) == (503, "intake")
    assert tried.json() == {"result": "still_parked", "reason": "box_broken"}
    assert (unreadable.status_code, other.status_code) == (404, 403)
    assert nats.asked == [("retry.intake", b'{"sequence":3}', RETRY_TIMEOUT_S)] * 2


@pytest.mark.parametrize("command", ["TakeUpParked", "SetParkedAside"])
async def test_what_is_parked_is_settled_for_a_purpose_from_the_list(
    tmp_path: Path, command: str
) -> None:
    said = {"case_id": PARKED_ID, "parked_sequence": 3}
    nats = Asking(Settings())
    async with asked(MemoryLog(), tmp_path, nats=nats) as desk:
        path = f"/api/commands/{command}"
        free = await desk.http.post(path, json={**said, "purpose": "junk"})
        listed = await desk.http.post(path, json={**said, **LOOKS})
    assert (free.status_code, free.json()["errors"][0]["field"]) == (422, "purpose")
    assert listed.status_code == 503  # Understood; but no service runs here.
    [(_, body, _)] = nats.asked
    assert {**json.loads(body), **LOOKS} == json.loads(body)
