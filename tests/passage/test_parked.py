"""What is parked is listed whatever it is, and only what can be read is retried."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from nats.aio.client import Client
from typing_extensions import override

from passage import parked
from passage.api import Api, Json, Reply
from passage.cli.parked import COLUMNS, as_json_of, as_row
from passage.install.provisioning import provision
from passage.own_keys import AsPerson, OwnKeys, made_key
from passage.parked import parked_in
from passage.printing import print_table
from passage.running import Running
from services.query.api.parked import WaitingMessage
from shared import subjects
from shared.jetstream.connection import Connection
from shared.jetstream.stream import Stream
from shared.parked.messages import PAGE_MAX_BYTES, PAGE_MESSAGES, Waiting, waiting_page
from shared.parked.parking import Parked
from tests.waiting import WITHIN_S

GOOD = Parked(
    parked_id="p-1",
    service="intake",
    reason="not_json",
    deliveries=1,
    parked_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    subject="calls.phone",
    stream="CALLS",
    sequence=7,
    original="box1.invented",
)


def shown(one: Waiting) -> Json:
    """As the API shows it."""
    return WaitingMessage.waiting(one).model_dump(mode="json")


async def test_an_unreadable_message_is_a_row_and_hides_no_other(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    await jetstream.publish("parked.intake.not_json", b"\xffnothing")
    await jetstream.publish("parked.intake.not_json", GOOD.model_dump_json().encode())
    (unreadable, readable), _ = await parked_in(client)
    assert as_row(shown(unreadable))[2:4] == ("unreadable", "sequence 1 of PARKED")
    assert as_json_of(shown(unreadable)) == {
        "parked_id": None,
        "reason": "unreadable",
        "parked_sequence": 1,
    }
    assert as_row(shown(readable))[COLUMNS.index("parked_id")] == "p-1"
    assert "original" not in as_json_of(shown(readable))


class Supervised(Api):
    """The API, as it answers a supervisor whose retry ends so."""

    def __init__(self, result: str) -> None:
        super().__init__(httpx.AsyncClient())
        self.result = result

    @override
    async def get(self, path: str, **query: object) -> Reply:
        one, following = (Waiting(2, GOOD), None) if query["after"] else (Waiting(1, None), 1)
        return Reply(200, {"items": [shown(one)], "next": following})

    @override
    async def post(self, path: str, body: Mapping[str, object]) -> Reply:
        assert path == "parked/2/retry"
        return Reply(200, {"result": self.result, "reason": ""})


@pytest.mark.parametrize(("result", "left"), [("still_parked", [1, 2]), ("done", [1])])
async def test_only_what_was_tried_again_with_success_is_deleted(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, result: str, left: list[int]
) -> None:
    @asynccontextmanager
    async def api_of(*_: object) -> AsyncIterator[Api]:
        yield Supervised(result)

    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    for body in (b"nothing", GOOD.model_dump_json().encode()):
        await jetstream.publish("parked.intake.not_json", body)
    monkeypatch.setattr(parked, "api_of", api_of)
    assert client.connected_url is not None
    running = Running.bare(client.connected_url.geturl())
    who = AsPerson(OwnKeys(tmp_path), made_key("olena", "http://localhost"))
    answer = await parked.retry(running, who, "p-1")
    assert answer["result"] == result
    assert [one.sequence for one in (await parked_in(client))[0]] == left


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_ids_are_shown_whole_however_narrow_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("passage.printing.out.width", columns)
    parked_id = "0123456789abcdef" * 2
    one = Waiting(1, GOOD.model_copy(update={"parked_id": parked_id}))
    print_table("1 parked", COLUMNS, [as_row(shown(one))])
    assert parked_id in capsys.readouterr().out


LARGE = GOOD.model_copy(update={"original": "box1." + "A" * 900_000})
COUNT = 12


async def test_large_messages_are_on_several_pages_and_none_is_left_out(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    for _ in range(COUNT):
        await jetstream.publish("parked.intake.CALLS_phone", LARGE.model_dump_json().encode())
    assert client.connected_url is not None
    pages = await asyncio.to_thread(_pages, client.connected_url.geturl())
    assert [sequence for page in pages for sequence in page] == list(range(1, COUNT + 1))
    assert max(map(len, pages)) <= 1 + PAGE_MAX_BYTES // len(LARGE.original)


async def test_the_messages_of_one_stream_are_listed_alone(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    body = GOOD.model_dump_json().encode()
    for of_it in ("CALLS_phone", "CASES.7", "CALLS_web", "CALLS_phone", "settled.x"):
        await jetstream.publish(f"parked.intake.{of_it}", body)
    assert client.connected_url is not None
    url = client.connected_url.geturl()
    for stream, expected in (("CALLS_phone", [1, 4]), ("CALLS_web", [3]), ("CASES", [2])):
        pages = await asyncio.to_thread(_pages, url, stream)
        assert [sequence for page in pages for sequence in page] == expected


def _pages(url: str, stream: str | None = None) -> list[list[int]]:
    pages: list[list[int]] = []
    with closing(Connection({"servers": [url]})) as connection:
        parked = Stream(connection, subjects.PARKED, 20.0, 20.0)
        after: int | None = 0
        while after is not None:
            page = waiting_page(parked, after, PAGE_MESSAGES, stream)
            pages.append([one.sequence for one in page.items])
            after = page.following
    return pages
