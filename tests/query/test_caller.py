"""Who asks: what a request without a known session is answered."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.query.requests.caller import COOKIE, Called, not_your_role
from shared.people.roles import ROLES, Role
from tests.query.asking import asked
from tests.query.stage import MemoryLog


def _with_route(app: FastAPI) -> None:
    async def me(caller: Called) -> dict[str, object]:
        if "supervisor" not in caller.roles:
            raise not_your_role(["supervisor"])
        return {"account": caller.account}

    app.add_api_route("/api/asks", me)


async def test_a_session_is_known_by_its_cookie_or_its_bearer_token(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path, also=_with_route) as desk:
        bearer = desk.logins.let_in("olena", "supervisor")
        token = bearer["authorization"].removeprefix("Bearer ")
        for headers in (bearer, {"authorization": "", "cookie": f"{COOKIE}={token}"}):
            assert (await desk.http.get("/api/asks", headers=headers)).json() == {
                "account": "olena"
            }


async def test_another_role_is_told_which_roles_may(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path, also=_with_route) as desk:
        answer = await desk.http.get("/api/asks", headers=desk.logins.let_in("petro", "operator"))
    assert (answer.status_code, answer.json()["roles"]) == (403, ["supervisor"])
    assert answer.json()["type"].endswith(":not-your-role")


@pytest.mark.parametrize("reason", ["unknown", "idle", "ended", "locked", "suspended"])
async def test_whoever_is_not_let_in_is_told_why(tmp_path: Path, reason: str) -> None:
    async with asked(MemoryLog(), tmp_path, also=_with_route) as desk:
        desk.logins.callers["old"] = reason  # type: ignore[assignment]
        answer = await desk.http.get("/api/asks", headers={"authorization": "Bearer old"})
        without = await desk.http.get("/api/asks", headers={"authorization": ""})
    assert (answer.status_code, answer.json()["reason"]) == (401, reason)
    assert (without.status_code, without.json()["type"]) == (401, "urn:passage:problem:log-in")


async def test_a_page_that_is_not_ones_own_says_whose_it_is(tmp_path: Path) -> None:
    page = {"accept": "text/html,*/*;q=0.8"}
    async with asked(MemoryLog(), tmp_path) as desk:
        operator = desk.logins.let_in("petro", "operator") | page
        auditor = desk.logins.let_in("nina", "auditor") | page
        refused = await desk.http.get("/audit", headers=operator)
        queue = await desk.http.get("/", headers=auditor)
        own = await desk.http.get("/api/people", headers=operator)
        nowhere = await desk.http.get("/nowhere", headers=operator)
        wrong = await desk.http.get("/parked?after=x", headers=operator)
        out = await desk.http.get("/audit", headers=page | {"authorization": ""})
    for one in (refused, queue, nowhere, wrong):
        assert one.headers["content-type"] == "text/html; charset=utf-8"
    assert (refused.status_code, queue.status_code, nowhere.status_code) == (403, 403, 404)
    assert "Only these roles may do that: auditor, supervisor." in refused.text
    assert "your roles: operator" in refused.text
    assert own.json()["type"].endswith(":not-your-role")
    assert (out.status_code, out.headers["location"]) == (303, "/login?back=%2Faudit")


@pytest.mark.parametrize("role", ROLES)
async def test_whoever_may_not_see_a_page_is_shown_what_they_may_see(
    tmp_path: Path, role: Role
) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        headers = desk.logins.let_in("nina", role) | {"accept": "text/html"}
        for path in ("/", "/audit", "/parked", "/supervise/people"):
            page = await desk.http.get(path, headers=headers)
            if page.status_code == 200:
                continue
            shown = page.text[page.text.index("You may see") :]
            named = re.findall(r'<li><a href="([^"]*)"', shown)
            assert named
            for one in named:
                assert (await desk.http.get(one, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("role", "links", "searches"),
    [
        ("operator", ["/", "/me"], True),
        ("auditor", ["/audit", "/me"], False),
        ("supervisor", ["/", "/parked", "/audit", "/supervise/people", "/me"], True),
    ],
)
async def test_the_head_of_a_page_names_what_its_reader_may_see(
    tmp_path: Path, role: Role, links: list[str], *, searches: bool
) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        page = (await desk.http.get("/me", headers=desk.logins.let_in("olena", role))).text
    head = page[page.index("<nav") : page.index("</header>")]
    assert re.findall(r'<a href="([^"]*)"', head) == links
    assert ('action="/search"' in head) == searches
