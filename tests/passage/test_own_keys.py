"""Key files of people: whose they are, how they log in, and that they sign nothing else."""

import json
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from passage.api import Api
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, KeyFile, OwnKeys, link_of, made_key
from passage.signing import ALTERED, Signer, agree, give
from shared.commands.catalogue import COMMANDS
from shared.people.key_files import login_bytes
from shared.people.signatures import canonical_of, from_base64url
from shared.people.signed import SIGNED
from shared.people.site import Site
from tests.examples import CASE

SITE = "http://localhost:8080"
TOKEN = "t" * 43
NOTE = {"command_id": "c-1", "case_id": CASE, "text": "calm"}
APPROVE = {"command_id": "c-2", "case_id": CASE, "seen_version": 3, "rendezvous_id": "meet-1"}
ERASE = {
    "command_id": "c-3",
    "case_id": CASE,
    "seen_version": 3,
    "legal_basis": "request_of_person",
    "reference": "a letter",
}


@dataclass
class Server:
    """Answers as query does, as far as the command line sees it."""

    key: KeyFile
    site: str = SITE
    people: int = 1
    alter: Callable[[str], str] = lambda canonical: canonical
    logins: int = 0
    token: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    proposed: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/")
        body = json.loads(request.content) if request.content else {}
        if path == "login/key/options":
            return httpx.Response(200, json={"site": self.site, "challenge": "abc"})
        if path == "login/key":
            signed = login_bytes("log_in", SITE, self.key.account, "abc")
            self.key.private.public_key().verify(from_base64url(body["signature"]), signed)
            self.logins += 1
            self.token = f"{TOKEN}{self.logins}"
            return httpx.Response(200, json={"token": self.token})
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return httpx.Response(401, json={"detail": "Log in."})
        self.asked.append((path, body))
        return httpx.Response(200, json=self.body(path, body))

    def body(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "signing":
            command = COMMANDS[body["command"]].model_validate(
                {**body["body"], "by": self.key.account}
            )
            canonical = self.canonical(command)
            return {"people": self.people, "canonical": self.alter(canonical)}
        if path.endswith("/open"):
            command = COMMANDS[self.proposed["act"]].model_validate_json(self.proposed["command"])
            shown = {"act": self.proposed["act"], "command": json.loads(self.proposed["command"])}
            return {**shown, "canonical": self.alter(self.canonical(command))}
        if path == "commands/ProposeDecision":
            self.proposed = body
        return {"result": "recorded", "case_id": CASE}

    def canonical(self, command: Any) -> str:
        hidden = SIGNED[type(command)].hidden
        return canonical_of(command, hidden, self.key.account, "n-1", Site(SITE, "localhost"))


@pytest.fixture
def keys(tmp_path: Path) -> OwnKeys:
    keys = OwnKeys(tmp_path / "people")
    keys.keep(made_key("olena", SITE))
    keys.keep(made_key("petro", SITE))
    return keys


@pytest.fixture
def server(keys: OwnKeys) -> Server:
    return Server(keys.of("olena"))


def client_of(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(server.answer), base_url=SITE)


def signer(keys: OwnKeys, client: httpx.AsyncClient) -> Signer:
    return Signer.of(Api(client), AsPerson(keys, keys.of("olena")))


def test_a_key_file_is_for_its_owner_alone_and_the_first_acts(keys: OwnKeys) -> None:
    for path in keys.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    assert (keys.of(None).account, keys.accounts) == ("olena", ["olena", "petro"])
    keys.keep(made_key("maria", SITE), is_first=True)
    assert keys.of(None).account == "maria"


def test_a_key_file_that_others_may_read_is_refused(keys: OwnKeys) -> None:
    (keys.folder / "petro.key").chmod(0o640)
    with pytest.raises(VerbEndedError, match="chmod 600"):
        keys.of("petro")


@pytest.mark.parametrize("account", ["ivan", "../olena", "Olena", "olena.key"])
def test_another_account_is_named_as_missing_and_no_path_is_followed(
    keys: OwnKeys, account: str
) -> None:
    with pytest.raises(VerbEndedError):
        keys.of(account)


def test_where_nobody_has_a_key_file_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(VerbEndedError, match="passage login --link"):
        OwnKeys(tmp_path / "nowhere").of(None)


async def test_a_session_is_begun_once_and_anew_when_it_is_over(
    keys: OwnKeys, server: Server
) -> None:
    async with client_of(server) as client:
        api = Api(client, AsPerson(keys, keys.of("olena")))
        for _ in range(3):
            assert (await api.get("cases")).ok
        assert server.logins == 1
        server.token = ""  # The session is over.
        assert (await api.get("cases")).ok
    assert server.logins == 2
    assert keys.session("olena") == f"{TOKEN}2"


async def test_another_site_is_logged_in_to_by_nobody(keys: OwnKeys, server: Server) -> None:
    server.site = "http://phishing.example"
    async with client_of(server) as client:
        with pytest.raises(VerbEndedError, match="registered at http://localhost:8080"):
            await Api(client, AsPerson(keys, keys.of("olena"))).get("cases")
    assert (server.logins, keys.session("olena")) == (0, None)


async def test_what_takes_no_signature_is_sent_as_it_is(keys: OwnKeys, server: Server) -> None:
    async with client_of(server) as client:
        await give(signer(keys, client), "AddNote", NOTE, "again")
    assert server.asked == [("commands/AddNote", NOTE)]


async def test_what_takes_one_is_signed(keys: OwnKeys, server: Server) -> None:
    async with client_of(server) as client:
        await give(signer(keys, client), "ApproveRendezvous", APPROVE, "again")
    path, body = server.asked[-1]
    (signature,) = body["signatures"]
    assert (path, signature["person"], signature["kind"]) == (
        "commands/ApproveRendezvous",
        "olena",
        "key_file",
    )
    assert json.loads(signature["canonical"])["fields"]["rendezvous_id"] == "meet-1"


async def test_what_takes_two_is_proposed_with_its_text_hidden_and_then_agreed_to(
    keys: OwnKeys, server: Server
) -> None:
    server.people = 2
    async with client_of(server) as client:
        await give(signer(keys, client), "ErasePersonalData", ERASE, "again")
        path, proposed = server.asked[-1]
        assert (path, proposed["act"]) == ("commands/ProposeDecision", "ErasePersonalData")
        assert "a letter" not in proposed["signature"]["canonical"]
        await agree(signer(keys, client), proposed["case_id"])
    path, body = server.asked[-1]
    assert path == f"decisions/{proposed['case_id']}/agree"
    assert body["signature"]["person"] == "olena"


@pytest.mark.parametrize(
    ("people", "told", "asked_for"),
    [(1, APPROVE, "meet-1"), (1, APPROVE, '"seen_version":3'), (2, ERASE, CASE)],
)
async def test_nothing_is_signed_but_the_command_that_was_given(
    keys: OwnKeys, server: Server, people: int, told: dict[str, Any], asked_for: str
) -> None:
    server.people = people
    server.alter = lambda canonical: canonical.replace(asked_for, asked_for[:-1] + "9")
    name = "ApproveRendezvous" if told is APPROVE else "ErasePersonalData"
    async with client_of(server) as client:
        with pytest.raises(VerbEndedError) as ended:
            await give(signer(keys, client), name, told, "again")
    assert str(ended.value) == ALTERED
    assert [path for path, _ in server.asked] == ["signing"]


def test_a_link_names_site_account_and_token() -> None:
    assert link_of(f"{SITE}/enrol/olena.{TOKEN}") == (SITE, "olena", TOKEN)
    for wrong in (
        "olena",
        f"{SITE}/enrol/olena",
        f"{SITE}/enrol/..{TOKEN}",
        f"/enrol/olena.{TOKEN}",
    ):
        with pytest.raises(VerbEndedError) as ended:
            link_of(wrong)
        assert ended.value.code == Exit.INVALID
