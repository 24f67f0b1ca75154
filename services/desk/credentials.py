"""What people and machines prove themselves with: links, keys, tokens."""

import hashlib
from base64 import urlsafe_b64decode
from datetime import datetime, timedelta

from services.desk.guards import (
    Acting,
    require_another,
    require_known,
    require_own,
    require_own_or_supervisor,
    require_supervising,
)
from shared.commands import people as commands
from shared.events import people
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.people.state import PersonState
from shared.refusals import Guard, require

KEY_FILE_BYTES = 32
LINKS_MAX = 5
KEYS_MAX = 10
TOKENS_MAX = 10
TOKEN_LASTS_MAX = timedelta(days=366)

A_PERSON = Guard("a_person", "a person; a machine gets a token")
A_MACHINE = Guard("a_machine", "a machine; a person enrols a key")
LINK_NEW = Guard("link_new", "a token_hash that was never offered, and fewer than 5 open links")
LINK_HOLDS = Guard(
    "link_holds",
    "a link that is neither used nor over, of somebody who isn't suspended; ask a supervisor",
)
KEY_NEW = Guard("key_new", "a key that was never registered, and fewer than 10 keys")
KEY_FITS = Guard(
    "key_fits", "a passkey with the rp_id it was made for, or a key file of 32 bytes without one"
)
KEY_REGISTERED = Guard("key_registered", "the key_id of one of the person's keys")
TOKEN_NEW = Guard("token_new", "a token_hash that was never issued, and fewer than 10 tokens")
TOKEN_ENDS = Guard("token_ends", "an expires_at within the next 366 days")
TOKEN_ISSUED = Guard("token_issued", "the token_hash of one of the machine's tokens")


def decide_offer(
    person: PersonState, command: commands.OfferEnrolment, acting: Acting
) -> list[Event]:
    require_known(person)
    require_supervising(acting, command)
    require_another(person, command)
    return offered(person, command, acting.now + acting.rules.enrolment)


def offered(
    person: PersonState, command: commands.OfferEnrolment, expires_at: datetime
) -> list[Event]:
    require(not person.is_machine, A_PERSON)
    known = command.token_hash in person.enrolments or command.token_hash in person.used_links
    require(not known and len(person.enrolments) < LINKS_MAX, LINK_NEW)
    return [event_of(people.EnrolmentOffered, command, expires_at=expires_at)]


def link_refused(person: PersonState, token: str, now: datetime) -> str | None:
    """Why a link doesn't hold; None if it does."""
    token_hash = hashlib.sha256(token.encode()).hexdigest()
    if token_hash in person.used_links:
        return "link_over"
    link = person.enrolments.get(token_hash)
    if link is None:
        return "link_unknown"
    if now >= link.expires_at:
        return "link_over"
    return "suspended" if person.suspended else None


def decide_enrol(person: PersonState, command: commands.Enrol, acting: Acting) -> list[Event]:
    """Whoever has the link registers a key; it is used up."""
    require_own(person, command)
    require(link_refused(person, command.token, acting.now) is None, LINK_HOLDS)
    require(command.key_id not in person.keys and len(person.keys_held) < KEYS_MAX, KEY_NEW)
    require(_fits(command), KEY_FITS)
    token_hash = hashlib.sha256(command.token.encode()).hexdigest()
    return [event_of(people.KeyRegistered, command, token_hash=token_hash)]


def decide_revoke_key(
    person: PersonState, command: commands.RevokeKey, acting: Acting
) -> list[Event]:
    """Repeating it changes nothing."""
    require_own_or_supervisor(person, acting, command)
    require(command.key_id in person.keys, KEY_REGISTERED)
    is_held = person.key_held(command.key_id) is not None
    return [event_of(people.KeyRevoked, command)] if is_held else []


def decide_issue_token(
    person: PersonState, command: commands.IssueToken, acting: Acting
) -> list[Event]:
    require_known(person)
    require_supervising(acting, command)
    require(person.is_machine, A_MACHINE)
    held = [one for one in person.tokens.values() if one.holds_at(acting.now)]
    require(command.token_hash not in person.tokens and len(held) < TOKENS_MAX, TOKEN_NEW)
    ends_in = command.expires_at - acting.now
    require(timedelta() < ends_in <= TOKEN_LASTS_MAX, TOKEN_ENDS)
    return [event_of(people.TokenIssued, command)]


def decide_revoke_token(
    person: PersonState, command: commands.RevokeToken, acting: Acting
) -> list[Event]:
    """Repeating it changes nothing."""
    require_known(person)
    require_supervising(acting, command)
    token = person.tokens.get(command.token_hash)
    require(token is not None, TOKEN_ISSUED)
    is_held = token is not None and token.revoked is None
    return [event_of(people.TokenRevoked, command)] if is_held else []


def _fits(command: commands.Enrol) -> bool:
    if command.kind == "passkey":
        return command.rp_id is not None
    try:
        public_key = urlsafe_b64decode(command.public_key + "==")
    except ValueError:
        return False
    plain = command.rp_id is None and not command.is_synced and not command.sign_count
    return plain and len(public_key) == KEY_FILE_BYTES
