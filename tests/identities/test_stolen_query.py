"""Somebody with query's credentials on the bus, in front of services that run under their own: they
send any command in anybody's name, and decide nothing that takes signatures."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from nats.aio.client import Client

from passage.install.provisioning import ask
from services.verification.registry import load_csv
from shared import subjects
from shared.commands.base import ANSWER, AnyAnswer, Command, Recorded, Refused
from shared.commands.catalogue import ANSWERED_BY
from shared.commands.people import AgreeToDecision, Enrol, IssueToken, ProposeDecision
from shared.events.catalogue import OWNER
from shared.events.people import OF_DECISIONS, log_of
from shared.keys.messages import Denied, Open, SealedValue
from shared.people.sessions import new_token
from shared.people.signed import SIGNED
from shared.policy import policy
from tests.examples import CASE, digest, sealed
from tests.identities.conftest import Ground, Guest, open_ground
from tests.signers import KeyFile
from tests.signing_place import ASKED, OLENA, PETRO, with_signatures
from tests.waiting import WITHIN_S
from tests.wire.conftest import REGISTRY, WIRES, Site
from tests.wire.people import enrol, link_by_the_keeper, signed
from tests.wire.test_stolen_query import ABOUT_SIGNATURES, command_takes_two

pytestmark = pytest.mark.wire
API = "PASSAGE.API"


@dataclass
class Stolen:
    """What the thief has: query's connection. And what two people have: their keys."""

    guest: Guest
    site: Site
    keys: dict[str, KeyFile]
    keeper: Client

    async def send(self, command: Command) -> AnyAnswer:
        kind = type(command)
        subject = subjects.command(ANSWERED_BY[kind], kind.__name__)
        body = command.model_dump_json(exclude_none=True).encode()
        reply = await self.guest.client.request(subject, body, timeout=WITHIN_S)
        return ANSWER.validate_json(reply.data)

    async def believed(self, command: Command) -> bool:
        """Whether a service got as far as to decide."""
        answer = await self.send(command)
        assert isinstance(answer, Recorded | Refused), answer
        return isinstance(answer, Recorded) or answer.guard not in ABOUT_SIGNATURES

    async def last_sequence(self) -> int:
        info = await ask(self.keeper, f"STREAM.INFO.{subjects.CASES}", None)
        return int(info["state"]["last_seq"])


@pytest.fixture
async def stolen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stolen]:
    ground: Ground = await asyncio.to_thread(open_ground, tmp_path)
    (tmp_path / "rows.csv").write_text(REGISTRY, encoding="utf-8")
    load_csv(tmp_path / "registry.db", tmp_path / "rows.csv")
    monkeypatch.setenv("PASSAGE_NATS_URL", ground.server.url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(ground.keys))
    monkeypatch.setenv("PASSAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'query.db'}")
    async with AsyncExitStack() as stack:
        stack.callback(ground.server.stop)
        guest = await stack.enter_async_context(ground.guest("query"))
        keeper = await stack.enter_async_context(ground.guest("keeper"))
        site = Site(ground.settings("query"), ground.server, guest.client)
        for name, wire in WIRES.items():
            own = ground.settings(name, registry_file=tmp_path / "registry.db", threads=8)
            await stack.enter_async_context(site.serving(wire(own)))
        keys = {one: KeyFile(one) for one in (OLENA, PETRO)}
        roles = [
            word for one in ("supervisor", "coordinator", "verifier") for word in ("--role", one)
        ]
        links = {one: await asyncio.to_thread(link_by_the_keeper, one, *roles) for one in keys}
        for account, link in links.items():
            await enrol(site, link, keys[account])
        yield Stolen(guest, site, keys, keeper.client)


async def test_no_command_that_takes_signatures_is_decided_on_its_word(stolen: Stolen) -> None:
    mine, before = [KeyFile(OLENA), KeyFile(PETRO)], await stolen.last_sequence()
    rightly: list[Command] = []
    for asked in sorted(ASKED):
        command = ASKED[asked]("first")
        needed = 2 if command_takes_two(command) else 1
        own = [await signed(stolen.site, key, command) for key in mine[:needed]]
        forged = [one.model_copy(update={"key_id": stolen.keys[one.person].key_id}) for one in own]
        real = [await signed(stolen.site, stolen.keys[one.person], command) for one in own]
        for attempt in (
            command,
            with_signatures(command, *own),
            with_signatures(command, *forged),
            with_signatures(command, *real[:-1], forged[-1]),
            with_signatures(command, *real[:-1]),
            with_signatures(command.model_copy(update={"command_id": "other"}), *real),
        ):
            assert not await stolen.believed(attempt), asked
        rightly.append(with_signatures(command, *real))
    assert await stolen.last_sequence() == before
    # With both gestures each is decided: what was refused above was refused for their lack.
    assert [await stolen.believed(one) for one in rightly] == [True] * len(SIGNED)


async def test_a_proposal_needs_both_gestures_too(stolen: Stolen) -> None:
    export = ASKED["export"]("first")
    decision = f"{OF_DECISIONS}{uuid4().hex}"
    before = await stolen.last_sequence()

    def proposing(signature: object) -> ProposeDecision:
        return ProposeDecision(
            command_id=uuid4().hex,
            case_id=decision,
            by=OLENA,
            act="RecordExport",
            about=export.case_id,
            command=export.model_dump_json(exclude_none=True),
            signature=signature,  # type: ignore[arg-type]
        )

    def agreeing(signature: object, by: str = PETRO) -> AgreeToDecision:
        who = {"command_id": uuid4().hex, "case_id": decision, "by": by}
        return AgreeToDecision.model_validate({**who, "signature": signature})

    own = {one: await signed(stolen.site, KeyFile(one), export) for one in (OLENA, PETRO)}
    assert isinstance(await stolen.send(proposing(own[OLENA])), Refused)
    assert await stolen.last_sequence() == before
    hers = await signed(stolen.site, stolen.keys[OLENA], export)
    assert isinstance(await stolen.send(proposing(hers)), Recorded)
    before = await stolen.last_sequence()
    as_his = hers.model_copy(update={"person": PETRO})
    for signature, by in ((own[PETRO], PETRO), (hers, OLENA), (hers, PETRO), (as_his, PETRO)):
        assert isinstance(await stolen.send(agreeing(signature, by)), Refused)
    assert await stolen.last_sequence() == before
    his = await signed(stolen.site, stolen.keys[PETRO], export)
    answer = await stolen.send(agreeing(his))
    assert isinstance(answer, Recorded)
    assert answer.events == ("StatisticsExported",)


async def test_it_makes_itself_no_key_and_no_token(stolen: Stolen) -> None:
    said = KeyFile(OLENA).registered().model_dump(exclude={"token_hash"})
    who = {"command_id": uuid4().hex, "case_id": log_of(OLENA), "by": OLENA}
    key = Enrol.model_validate({**who, **said, "token": new_token()})
    lasting = {"expires_at": "2027-01-01T00:00:00Z", "label": "mine"}
    token = IssueToken.model_validate({**who, **lasting, "token_hash": digest("a token")})
    for attempt in (key, token):
        assert isinstance(await stolen.send(attempt), Refused)
    own = f"{subjects.CASES_PREFIX}.{log_of(OLENA)}.>"
    info = await ask(stolen.keeper, f"STREAM.INFO.{subjects.CASES}", {"subjects_filter": own})
    types = [subjects.read_case_subject(one).type_name for one in info["state"]["subjects"]]
    assert (types.count("KeyRegistered"), types.count("TokenIssued")) == (1, 0)
    assert types.count("AttemptsRefused") == 1


def signed_events() -> list[str]:
    return sorted({one.__name__ for row in SIGNED.values() for one in row.records})


async def test_it_writes_no_decision_and_no_proof_itself(stolen: Stolen) -> None:
    client, before = stolen.guest.client, await stolen.last_sequence()
    for event in signed_events():
        await client.publish(f"cases.{CASE}.1.{event}", b"{}")
    buckets = (subjects.NONCES_BUCKET, subjects.COUNTERS_BUCKET, subjects.KEYS_BUCKET)
    for bucket in buckets:
        await client.publish(f"$KV.{bucket}.forged", b'{"at":0}')
    for service in policy().services:
        await client.publish(f"{API}.CONSUMER.MSG.NEXT.{subjects.CASES}.{service}", b"1")
    await client.flush()
    await client.flush()
    denied = " ".join(stolen.guest.refused).lower()
    for subject in (*(f".{one}" for one in signed_events()), *(f"$kv.{one}." for one in buckets)):
        assert subject.lower() in denied, subject
    assert await stolen.last_sequence() == before
    for bucket in buckets:
        info = await ask(stolen.keeper, f"STREAM.INFO.KV_{bucket}", {"subjects_filter": ">"})
        assert f"$KV.{bucket}.forged" not in (info["state"].get("subjects") or {})
    assert {OWNER[kind] for row in SIGNED.values() for kind in row.records}.isdisjoint({"query"})


async def test_the_key_holder_opens_no_password_for_it(stolen: Stolen) -> None:
    for field in ("password_hash", "totp_secret"):
        value = SealedValue(
            case_id=log_of(OLENA),
            version=1,
            type_name="BreakGlassSet",
            field=field,
            sealed=str(sealed("$argon2id$")),
        )
        asked = Open(by=OLENA, purpose="oversight", values=(value,))
        body = asked.model_dump_json().encode()
        reply = await stolen.guest.client.request(
            subjects.keyholder("open", "query"), body, timeout=WITHIN_S
        )
        assert "denied" in json.loads(reply.data), reply.data
        assert Denied.model_validate_json(reply.data).denied
