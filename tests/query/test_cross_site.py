"""Other sites' pages: no unsafe route does anything for them, whoever's cookie the browser adds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.query.requests.caller import COOKIE
from shared.people.roles import COMMANDS, OPEN, ROLES, VIEWS
from tests.query.asking import Desk, asked
from tests.query.stage import MemoryLog
from tests.query.test_roles import OF_COMMANDS, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNSAFE = [
    *(f"POST {OF_COMMANDS}{one}" for one in COMMANDS),
    *(one for one in [*VIEWS, *sorted(OPEN)] if not one.startswith("GET ")),
]
ELSEWHERE = {
    "another site": {"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"},
    "another port": {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:9090"},
    "an old browser": {"origin": "https://elsewhere.example"},
    "a page without origin": {"origin": "null"},
    "nothing said": {},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with asked(MemoryLog(), tmp_path_factory.mktemp("elsewhere")) as made:
        del made.http.headers["authorization"]
        yield made


def _cookie(desk: Desk) -> dict[str, str]:
    bearer = desk.logins.let_in("olena", *ROLES)["authorization"]
    return {"cookie": f"{COOKIE}={bearer.removeprefix('Bearer ')}"}


@pytest.mark.parametrize("act", UNSAFE)
async def test_a_request_from_elsewhere_is_refused_whatever_cookie_it_brings(
    desk: Desk, act: str
) -> None:
    method, path = path_of(act)
    for said, headers in ELSEWHERE.items():
        answer = await desk.http.request(method, path, json={}, headers=headers | _cookie(desk))
        assert answer.status_code == 403, said
        assert answer.json()["type"] == "urn:passage:problem:cross-site", said


@pytest.mark.parametrize("act", UNSAFE)
async def test_the_same_from_our_own_page_is_understood(desk: Desk, act: str) -> None:
    method, path = path_of(act)
    own = {"sec-fetch-site": "same-origin", **_cookie(desk)}
    answer = await desk.http.request(method, path, json={}, headers=own)
    assert not answer.text.count("cross-site")
