"""A route of the API, asked with a person's values in every place, rightly and wrongly."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from shared.people.roles import OPEN
from tests.canaries import persons
from tests.examples import CASE

NAME = re.compile(r"\{\w+\}")
NAMED = {
    "case_id": CASE,
    "group_id": "GROUP-1",
    "shift_id": "SHIFT-1",
    "export_id": "EXPORT-1",
    "decision_id": "DECISION-1",
    "account": "olena",
    "session": "0" * 64,
    "sequence": "1",
}
COMMAND_ID = "command_id"
"""The client's own name for what it asks: it is given back to it, and is no log's matter."""
UNFIT = {
    "/api/cases/{case_id}/reveal": {"fields"},
    "/api/shifts/{shift_id}/reveal": {"fields"},
    "/api/people/{account}/reveal": {"fields"},
    "/api/candidates": {"case_id", "caller"},
    "/api/search": {"case_number", "return_code", "caller", "service_number"},
}
"""What doesn't fit with what else is sent there."""
SIGNED = "ErasePersonalData"
"""The command whose form is asked for at /api/signing."""
ANSWERED = frozenset({200, 204, 303, 400, 404, 405, 413, 422, 503})
NOT_PROVEN = frozenset({401})
JSON = {"content-type": "application/json"}


@dataclass
class Route:
    """One route of the API: how it is asked with a person's values in every place."""

    method: str
    path: str
    query: list[str]
    schema: dict[str, Any] | None

    async def asked(
        self, http: httpx.AsyncClient, canary: persons.Canary, *, everywhere: bool = True
    ) -> list[httpx.Response]:
        """Asks with what fits, as far as texts fit; `everywhere`: in the path too."""
        path = self.named("{x}", canary.surname)
        answers = [await self._ask(http, path, canary)]
        if "{" in self.path and everywhere:
            for value in canary.values():
                other = NAME.sub(value, self.path)
                answers.append(await self._ask(http, other, canary))
        return answers

    async def _ask(
        self, http: httpx.AsyncClient, path: str, canary: persons.Canary, **more: Any
    ) -> httpx.Response:
        return await http.request(
            self.method, path, json=self.body(canary), headers=_headers(canary), **more
        )

    def body(self, canary: persons.Canary) -> Any:
        if self.schema is None:
            return None
        shared = self.schema["shared"]
        if self.path == "/api/signing":
            return {"command": SIGNED, "body": self._filled(shared[SIGNED], canary)}
        return self._filled(self.schema, canary)

    def _filled(self, schema: dict[str, Any], canary: persons.Canary) -> Any:
        assert self.schema is not None
        body = persons.filled(schema, canary, self.schema["shared"])
        for name in {COMMAND_ID} | UNFIT.get(self.path, set()):
            body.pop(name, None)
        return body

    @property
    def statuses(self) -> frozenset[int]:
        """Whoever is logged in is asked to log in nowhere; what proves nothing lets nobody in."""
        proves = f"{self.method.upper()} {self.path}" in OPEN
        return ANSWERED | NOT_PROVEN if proves else ANSWERED

    def named(self, rest: str, other: str) -> str:
        """The path with ids in it, of what there is where the log has it."""
        path = self.path.replace(rest, other)
        for name, value in NAMED.items():
            path = path.replace(f"{{{name}}}", value)
        return path

    async def asked_wrongly(
        self, http: httpx.AsyncClient, canary: persons.Canary
    ) -> list[httpx.Response]:
        """Asks with what doesn't fit: unknown parameters, wrong types, no JSON."""
        path = self.named("{x}", "passage.css")
        answers = []
        for name in (*self.query, canary.surname, persons.text_of(canary)):
            for value in canary.values():
                answers.append(await http.request(self.method, path, params={name: value}))
        if self.method != "get":
            names = list((self.schema or {}).get("properties", {}))
            for body in persons.nonsense(names, canary):
                answers.append(await http.request(self.method, path, json=body))
            for raw in persons.malformed(canary):
                answers.append(await http.request(self.method, path, content=raw, headers=JSON))
                answers.append(await http.request(self.method, path, content=raw))
            answers.append(await http.request(self.method, path, data={"sought": canary.phone}))
        method = canary.surname if canary.surname.isascii() else "X"
        answers.append(await http.request(method, path))
        return answers


def _headers(canary: persons.Canary) -> dict[str, str]:
    latin = persons.text_of(canary).encode("ascii", "ignore").decode()
    return {"x-name": latin, "user-agent": latin, "cookie": latin, "x-request-id": canary.phone}
