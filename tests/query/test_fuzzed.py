"""Requests that schemathesis makes up for every operation of the API, as each role and as nobody.

None is a fault, none repeats what was sent, and each is refused whom the table of roles refuses.
No service runs here, so what is understood and allowed is answered 503 at most.
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode

from services.query.app import ROUTES
from shared.people.roles import OPEN, ROLES, roles_for
from tests import examples as e
from tests.query.asking import Desk, asked
from tests.query.stage import MemoryLog, book_with
from tests.query.test_roles import OF_COMMANDS
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wide

EXAMPLES = 4
LONG_ENOUGH_TO_TELL = 12
"""Shorter texts stand in answers by chance."""
NOBODY = "nobody"
SCHEMA = schemathesis.openapi.from_dict(FastAPI(routes=ROUTES.routes).openapi())
MADE: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS = {one.ok().label: one.ok() for one in MADE}

ResultT = TypeVar("ResultT")


class Served:
    """The app on an event loop of its own: schemathesis asks from a thread without one."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stack = AsyncExitStack()
        log = MemoryLog.of(book_with(e.whole_way()))
        self.desk: Desk = self._run(self._stack.enter_async_context(asked(log, folder)))
        self.desk.http.headers.pop("authorization")
        self.headers = {one: self.desk.logins.let_in(f"a_{one}", one) for one in ROLES}
        self.headers[NOBODY] = {}  # type: ignore[index]

    def ask(self, who: str, request: Mapping[str, Any]) -> httpx.Response:
        headers = {**request["headers"], **self.headers[who]}  # type: ignore[index]
        asked_for = self.desk.http.request(**{**request, "headers": headers})
        answer: httpx.Response = self._run(asked_for)
        return answer

    def close(self) -> None:
        self._run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN_S)
        self._loop.close()

    def _run(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(WITHIN_S)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is waited for ever comes here."""
    for name in ("api.commands.VISIBLE_WITHIN_S", "requests.cases.MIN_SEQUENCE_WAIT_S"):
        monkeypatch.setattr(f"services.query.{name}", 0.0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("fuzzed"))
    yield served
    served.close()


def _request(case: Any) -> dict[str, Any]:
    made = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
    known = {name: made.get(name) for name in ("method", "url", "params", "json")}
    body = made.get("data")
    if body is not None:
        known.pop("json")
        known["content"] = body if isinstance(body, (bytes, str)) else str(body)
    headers = {str(name): str(value) for name, value in (made.get("headers") or {}).items()}
    headers.pop("User-Agent", None)
    return {**known, "headers": headers}


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for one in value.values():
                yield from _texts(one)
        case list() | tuple():
            for one in value:
                yield from _texts(one)
        case _:
            pass


def _sent(case: Any) -> list[str]:
    """What no answer may repeat. It names the command_id, which its sender may have left out."""
    body = case.body
    command_id = str(body.get("command_id")) if isinstance(body, Mapping) else ""
    sent = (body, case.query or {}, case.path_parameters or {}, case.headers or {})
    texts = (one for one in _texts(sent) if len(one) >= LONG_ENOUGH_TO_TELL)
    return [one for one in texts if one not in command_id]


def _cases(operation: Any) -> Any:
    """What fits its schema and, where there is any, what doesn't."""
    strategies = [operation.as_strategy(generation_mode=one) for one in GenerationMode]
    return one_of(strategies)


def _act(operation: Any) -> str:
    path = operation.path
    if path.startswith(OF_COMMANDS):
        return str(path.removeprefix(OF_COMMANDS))
    return f"{operation.method.upper()} {path}"


@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_sent_is_no_fault_and_is_not_repeated(served: Served, label: str) -> None:
    operation = OPERATIONS[label]
    act = _act(operation)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
    )
    @given(case=_cases(operation))
    def sent(case: Any) -> None:
        request = _request(case)
        texts = _sent(case)
        for who in (NOBODY, *ROLES):
            answer = served.ask(who, request)
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            assert not [one for one in texts if one in answer.text]
            _check_allowed(who, act, answer)

    sent()


def _check_allowed(who: str, act: str, answer: httpx.Response) -> None:
    if act in OPEN or answer.status_code in {404, 405}:
        return
    if who == NOBODY:
        assert answer.status_code == 401
    elif who not in roles_for(act):
        assert answer.status_code == 403
    else:
        assert answer.status_code != 401
