"""Links, keys and tokens: what proves who somebody is, and what no longer does."""

from datetime import timedelta
from typing import Any

import pytest

from services.desk.credentials import KEYS_MAX, LINKS_MAX, TOKENS_MAX
from services.desk.deadlines import LINK
from shared.commands import people as commands
from shared.people.sessions import hash_of, new_token
from shared.refusals import RefusedError
from tests.desk.desks import SmallDesk
from tests.examples import digest


@pytest.fixture
def desk() -> SmallDesk:
    return SmallDesk()


def refused_link(desk: SmallDesk, why: str, token: str, **said: Any) -> None:
    with pytest.raises(RefusedError):
        desk.enrol("ivan", token, **said)
    assert desk.person("ivan").refused[("enrolment", why)] >= 1
    assert "a2V5" not in desk.person("ivan").keys


def test_whoever_has_the_link_registers_one_key_and_the_link_is_used_up(desk: SmallDesk) -> None:
    token = desk.link("ivan")
    desk.enrol("ivan", token, "Zmlyc3Q")
    (key,) = desk.person("ivan").keys_held
    assert (key.key_id, key.kind, key.registered.at) == ("Zmlyc3Q", "key_file", desk.now)
    refused_link(desk, "link_over", token)


def test_a_wrong_link_a_link_of_another_and_an_old_one_are_refused_and_counted(
    desk: SmallDesk,
) -> None:
    desk.add("maria", "operator")
    refused_link(desk, "link_unknown", new_token())
    refused_link(desk, "link_unknown", desk.link("maria"))
    token = desk.link("ivan")
    desk.now += timedelta(hours=24)
    refused_link(desk, "link_over", token)
    assert desk.person("ivan").refused[("enrolment", "link_unknown")] == 2


def test_with_a_key_every_other_link_is_over(desk: SmallDesk) -> None:
    """One supervisor alone offers somebody's first links; one kept back would be a key in another's
    name."""
    used, kept_back = desk.link("ivan"), desk.link("ivan")
    desk.enrol("ivan", used, "Zmlyc3Q")
    assert desk.person("ivan").enrolments == {}
    refused_link(desk, "link_over", kept_back)
    desk.enrol("ivan", desk.link("ivan"), "c2Vjb25k")
    assert len(desk.person("ivan").keys_held) == 2


def test_nobody_registers_a_key_for_another_nor_while_suspended(desk: SmallDesk) -> None:
    token = desk.link("ivan")
    with pytest.raises(RefusedError, match="own_account"):
        desk.ask(
            commands.Enrol,
            "ivan",
            "olena",
            token=token,
            kind="key_file",
            key_id="a2V5",
            public_key="cA",
            label="x",
        )
    desk.ask(commands.SuspendPerson, "ivan", reason="left")
    refused_link(desk, "suspended", token)


@pytest.mark.parametrize(
    "said",
    [
        {"public_key": "c2hvcnQ"},
        {"public_key": "c"},
        {"rp_id": "localhost"},
        {"is_synced": True},
        {"sign_count": 3},
        {"kind": "passkey"},
    ],
)
def test_what_is_no_key_of_its_kind_is_refused_and_uses_up_no_link(
    desk: SmallDesk, said: dict[str, Any]
) -> None:
    token = desk.link("ivan")
    refused_link(desk, "not_fitting", token, **said)
    desk.enrol("ivan", token)


def test_a_link_that_nobody_uses_ends_by_itself(desk: SmallDesk) -> None:
    desk.link("ivan")
    desk.desk.deadlines.keep("PERSON-ivan")
    desk.now += timedelta(hours=24)
    (due,) = desk.timers.due("desk", desk.now)
    assert desk.desk.deadlines.receive(due).events == ("EnrolmentExpired",)
    assert desk.person("ivan").enrolments == {}
    assert LINK not in desk.desk.deadlines.due_in(
        desk.context.writer.log.load_current("PERSON-ivan").state
    )


def test_a_key_is_revoked_by_its_owner_or_a_supervisor_and_stays_known(desk: SmallDesk) -> None:
    desk.enrolled("ivan")
    desk.add("maria", "operator")
    with pytest.raises(RefusedError, match="role_held"):
        desk.ask(commands.RevokeKey, "ivan", "maria", key_id="a2V5")
    desk.ask(commands.RevokeKey, "ivan", "ivan", key_id="a2V5")
    assert desk.ask(commands.RevokeKey, "ivan", "olena", key_id="a2V5").result == "ignored"
    person = desk.person("ivan")
    assert person.key_held("a2V5") is None
    assert person.keys["a2V5"].held_at(desk.now - timedelta(seconds=1)) is False
    with pytest.raises(RefusedError, match="key_new"):
        desk.enrol("ivan", desk.link("ivan"))


def test_a_machine_gets_a_token_that_ends_and_a_person_none(desk: SmallDesk) -> None:
    ends = (desk.now + timedelta(days=30)).isoformat()
    issued = {"token_hash": hash_of("token"), "label": "figures", "expires_at": ends}
    desk.ask(commands.IssueToken, "figures", **issued)
    (token,) = desk.person("figures").tokens.values()
    assert token.holds_at(desk.now)
    assert not token.holds_at(desk.now + timedelta(days=30))
    with pytest.raises(RefusedError, match="a_machine"):
        desk.ask(commands.IssueToken, "ivan", **issued)
    with pytest.raises(RefusedError, match="a_person"):
        desk.ask(commands.OfferEnrolment, "figures", token_hash=digest("link"))
    for days in (0, 367):
        wrong = {**issued, "token_hash": digest("x"), "expires_at": desk.now + timedelta(days)}
        with pytest.raises(RefusedError, match="token_ends"):
            desk.ask(commands.IssueToken, "figures", **wrong)
    desk.ask(commands.RevokeToken, "figures", token_hash=hash_of("token"))
    assert not desk.person("figures").tokens[hash_of("token")].holds_at(desk.now)


def test_attempts_are_recorded_at_the_first_and_when_their_number_has_doubled(
    desk: SmallDesk,
) -> None:
    for _ in range(1_000):
        desk.ask(commands.ReportAttempts, "ivan", "query", kind="passkey", why="wrong_origin")
    counts = [
        one.data.count for one in desk.events("PERSON-ivan") if one.type_name == "AttemptsRefused"
    ]
    assert counts == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_attempts_on_accounts_that_nobody_has_make_one_log(desk: SmallDesk) -> None:
    for number in range(50):
        about = f"guess_{number}"
        desk.ask(commands.ReportAttempts, about, "query", kind="token", why="unknown", count=2)
        assert desk.events(f"PERSON-{about}") == []
    recorded = desk.person("nobody").refused[("token", "unknown")]
    assert 50 < recorded <= 100


def test_made_up_reasons_make_no_endless_log(desk: SmallDesk) -> None:
    for number in range(200):
        why = "why_" + chr(ord("a") + number // 26) + chr(ord("a") + number % 26)
        desk.ask(commands.ReportAttempts, "ivan", "query", kind="token", why=why)
    assert len(desk.events("PERSON-ivan")) < 80


def test_somebody_has_so_many_links_keys_and_tokens_at_once(desk: SmallDesk) -> None:
    for number in range(KEYS_MAX):
        desk.enrolled("ivan", f"key{number}")
    with pytest.raises(RefusedError, match="key_new"):
        desk.enrolled("ivan", "one-more")
    for _ in range(LINKS_MAX - 1):
        desk.link("ivan")
    with pytest.raises(RefusedError, match="link_new"):
        desk.link("ivan")
    ends = desk.now + timedelta(days=1)
    for number in range(TOKENS_MAX + 1):
        said = {"token_hash": digest(f"token {number}"), "label": "x", "expires_at": ends}
        if number < TOKENS_MAX:
            desk.ask(commands.IssueToken, "figures", **said)
        else:
            with pytest.raises(RefusedError, match="token_new"):
                desk.ask(commands.IssueToken, "figures", **said)
