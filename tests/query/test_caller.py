"""Who asks: what a request without a known session is answered."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from services.query.requests.caller import COOKIE, Called, not_your_role
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
