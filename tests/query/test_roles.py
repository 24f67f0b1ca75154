"""The table of roles, on every command and every route, for every role."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from services.query.app import create_app
from shared.commands.catalogue import COMMANDS as CATALOGUE
from shared.people.roles import (
    BY_OTHER_ROUTES,
    COMMANDS,
    OPEN,
    ROLES,
    VIEWS,
    Role,
    may,
    may_by,
    roles_for,
)
from tests.examples import CASE
from tests.query.asking import Desk, asked
from tests.query.stage import MemoryLog

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILLED = {"case_id": CASE, "group_id": CASE, "shift_id": "SHIFT-1", "sequence": "1", "rest": "x"}
OF_COMMANDS = "/api/commands/"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with asked(MemoryLog(), tmp_path_factory.mktemp("roles")) as made:
        del made.http.headers["authorization"]
        yield made


def views_of(app: FastAPI) -> Iterator[str]:
    """`METHOD path` of every route that the app answers, but for files, commands and its schema."""
    for context in app.router.routes:
        yield from _views(context)


def _views(route: Any) -> Iterator[str]:
    if isinstance(route, Mount):
        return
    for inner in getattr(route, "effective_candidates", list)():
        yield from _views(getattr(inner, "original_route", inner))
    if isinstance(route, APIRoute) and not route.path.startswith(OF_COMMANDS):
        yield from (f"{method} {route.path}" for method in route.methods or ())


def path_of(view: str) -> tuple[str, str]:
    method, path = view.split(" ")
    for name, value in FILLED.items():
        path = path.replace(f"{{{name}}}", value)
    return method, path.replace("{account}", "olena").replace("{token}", "x" * 43)


async def ask(desk: Desk, act: str, headers: dict[str, str]) -> httpx.Response:
    method, path = ("POST", f"{OF_COMMANDS}{act}") if act in COMMANDS else path_of(act)
    body: dict[str, str] | None = {} if method == "POST" else None
    return await desk.http.request(method, path, json=body, headers=headers)


async def test_the_table_names_every_command_and_no_other() -> None:
    assert set(COMMANDS) | BY_OTHER_ROUTES == set(CATALOGUE)
    assert not BY_OTHER_ROUTES & set(COMMANDS)


async def test_the_table_names_every_view_and_no_other(desk: Desk) -> None:
    views = set(views_of(create_app(desk.context)))
    assert len(views) > 25
    assert views == set(VIEWS) | OPEN
    assert not OPEN & set(VIEWS)


@pytest.mark.parametrize("act", [*COMMANDS, *VIEWS])
async def test_without_a_session_nobody_is_answered(desk: Desk, act: str) -> None:
    answer = await ask(desk, act, {})
    assert answer.status_code == 401


@pytest.mark.parametrize("act", [*COMMANDS, *VIEWS])
async def test_each_role_may_what_the_table_gives_it_and_nothing_else(desk: Desk, act: str) -> None:
    for role in ROLES:
        answer = await ask(desk, act, desk.logins.let_in("olena", role))
        refused = answer.status_code == 403 and answer.json()["type"].endswith(":not-your-role")
        assert refused != (role in roles_for(act)), role
        if refused:
            assert answer.json()["roles"] == sorted(roles_for(act))


@pytest.mark.parametrize("act", [*COMMANDS, *VIEWS])
async def test_somebody_without_a_role_may_nothing(desk: Desk, act: str) -> None:
    assert (await ask(desk, act, desk.logins.let_in("olena"))).status_code == 403


@pytest.mark.parametrize("raw", [b"{", b'{"case_id": }', b"\xff\xfe"])
async def test_a_body_that_cannot_be_read_tells_a_stranger_no_more_than_any_other(
    desk: Desk, raw: bytes
) -> None:
    for act in [*COMMANDS, *(one for one in VIEWS if one.startswith("POST "))]:
        method, path = ("POST", f"{OF_COMMANDS}{act}") if act in COMMANDS else path_of(act)
        refused: Role = next((one for one in ROLES if one not in roles_for(act)), "operator")
        may_not = refused not in roles_for(act)
        for headers, status in (
            ({}, 401),
            (desk.logins.let_in("olena", refused), 403 if may_not else None),
            (desk.logins.let_in("olena"), 403),
        ):
            said = {"content-type": "application/json", **headers}
            answer = await desk.http.request(method, path, content=raw, headers=said)
            assert status in {answer.status_code, None}, act


@pytest.mark.parametrize("act", sorted(BY_OTHER_ROUTES))
async def test_what_query_sends_by_itself_nobody_gives(desk: Desk, act: str) -> None:
    headers = desk.logins.let_in("olena", *ROLES)
    answer = await desk.http.post(f"{OF_COMMANDS}{act}", json={}, headers=headers)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        ("AddNote", True),
        ("ClaimCase", True),
        ("GET /api/cases", True),
        ("POST /api/cases/{case_id}/reveal", True),
        ("ApproveRendezvous", False),
        ("ErasePersonalData", False),
        ("AgreeToDecision", False),
        ("OfferEnrolment", False),
        ("RevokeKey", False),
        ("GrantRole", False),
        ("SetBreakGlass", False),
        ("POST /api/exports", False),
        ("POST /api/budgets/{account}/release", False),
        ("POST /api/parked/{sequence}/retry", False),
        ("POST /api/signing", False),
        ("POST /api/decisions/{decision_id}/agree", False),
    ],
)
async def test_by_break_glass_one_reads_and_takes_calls(
    desk: Desk, act: str, *, allowed: bool
) -> None:
    answer = await ask(desk, act, desk.logins.let_in("olena", *ROLES, kind="break_glass"))
    kind = answer.json().get("type", "")
    assert may_by("break_glass", act) == allowed
    assert kind.endswith(":not-by-break-glass") != allowed


@pytest.mark.parametrize("command", ["RevokeKey", "EndSessions"])
@pytest.mark.parametrize(
    ("role", "about", "status"),
    [
        ("auditor", "PERSON-olena", 503),  # Understood; but no service runs here.
        ("auditor", "PERSON-petro", 403),
        ("operator", "PERSON-petro", 403),
        ("supervisor", "PERSON-petro", 503),
    ],
)
async def test_of_ones_own_keys_and_sessions_everybody_disposes(
    desk: Desk, command: str, role: Role, about: str, status: int
) -> None:
    body = {"case_id": about, **({"key_id": "abc"} if command == "RevokeKey" else {})}
    headers = desk.logins.let_in("olena", role)
    answer = await desk.http.post(f"{OF_COMMANDS}{command}", json=body, headers=headers)
    assert answer.status_code == status


async def test_nobody_may_what_is_not_in_the_table() -> None:
    assert not may(ROLES, "GET /api/secrets")
    assert not may(ROLES, "DoAnything")
