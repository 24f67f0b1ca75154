"""What was signed by an earlier version is still proven; its form is as browsers write it."""

import json
from pathlib import Path

import pytest

from shared.commands.handover import DiscloseRendezvous
from shared.events.base import CaseEvent
from shared.events.handover import RendezvousDisclosed
from shared.events.parsing import read_case_event
from shared.events.people import KeyRegistered
from shared.people.signatures import canonical_of, require_proof
from shared.people.signed import SIGNED
from shared.people.state import Key, Moment
from shared.refusals import RefusedError
from tests.contexts import NOW
from tests.signers import HERE
from tests.signing_place import ASKED

GOLDEN = Path(__file__).parents[2] / "golden"


def decided() -> CaseEvent[RendezvousDisclosed]:
    return read_case_event((GOLDEN / "events" / "RendezvousDisclosed.v1.signed.json").read_bytes())


def key_of(person: str) -> Key:
    kept = json.loads((GOLDEN / "signers.json").read_bytes())[person]
    data = KeyRegistered.model_validate(kept)
    said = data.model_dump(exclude={"token_hash"})
    return Key(**said, registered=Moment(1, NOW))


def test_a_decision_of_an_earlier_version_is_still_proven() -> None:
    signatures = decided().signatures or ()
    assert [one.kind for one in signatures] == ["passkey", "key_file"]
    for one in signatures:
        require_proof(one, key_of(one.person), HERE)
        other = one.model_copy(update={"canonical": one.canonical.replace("meet-1", "meet-2")})
        with pytest.raises(RefusedError, match="signature_proves"):
            require_proof(other, key_of(one.person), HERE)


def test_the_same_command_has_the_same_form_as_in_an_earlier_version() -> None:
    command = ASKED["disclose"]("first")
    assert isinstance(command, DiscloseRendezvous)
    for one in decided().signatures or ():
        nonce = json.loads(one.canonical)["nonce"]
        hidden = SIGNED[type(command)].hidden
        assert canonical_of(command, hidden, one.person, nonce, HERE) == one.canonical


def test_the_form_is_ascii_of_integers_texts_and_lists_with_sorted_keys() -> None:
    command = ASKED["add"]("first").model_copy(update={"name": "Олена\u0301 \U0001f600"})
    written = canonical_of(command, (), "olena", "nonce", HERE)
    assert written.isascii()
    assert json.loads(written)["fields"]["name"] == "Олена\u0301 \U0001f600"
    assert json.loads(written)["fields"]["is_machine"] == "false"
    assert "\\ud83d\\ude00" in written
    again = json.dumps(json.loads(written), sort_keys=True, separators=(",", ":"))
    assert again == written
