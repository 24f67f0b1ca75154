"""Rules about who he is: claims, registry, verification, credibility and reviews."""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules.trail import LEEWAY, Rules, Trail, same_person, two_people
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataProvided
from shared.events.verification import (
    CredibilityAssessed,
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    ReviewOpened,
    ReviewResolved,
)


def _claimed(trail: Trail, data: PersonalDataProvided, event: CaseEvent[Any]) -> None:
    if data.provenance != "after_capture":
        who = trail.who
        # The earlier data was verified or rejected, not this.
        who.verified = who.rejected = who.matched = who.partial = False
        who.claim = (event.id, event.caseversion)


def _checked(trail: Trail, data: RegistryChecked, _event: CaseEvent[Any]) -> None:
    who = trail.who
    if who.claim is None or data.about_event != who.claim[0]:
        return
    if data.outcome == "unavailable":
        return  # It says nothing about the man.
    who.matched = data.outcome == "match"
    who.partial = data.outcome in {"match", "partial"}
    if who.matched and who.claim[1] > who.doubted_at:
        who.contradicted_at = 0


def _contradicted(trail: Trail, data: IdentityContradicted, event: CaseEvent[Any]) -> None:
    trail.who.verified, trail.who.contradicted_at = False, event.caseversion
    if data.registry is None:
        trail.who.doubted_at = event.caseversion


def _rejected(trail: Trail, _data: IdentityRejected, _event: CaseEvent[Any]) -> None:
    trail.who.verified, trail.who.rejected = False, True


def _verified(trail: Trail, data: IdentityVerified, _event: CaseEvent[Any]) -> Iterator[str]:
    who = trail.who
    by_two = two_people(data.by, data.second_by)
    if who.contradicted_at and not (by_two and data.reason is not None):
        yield "verified while contradicted without a second person and a reason"
    if who.rejected and not by_two:
        yield "verified after a rejection without new personal data or a second person"
    elif data.basis == "two_sources" and not by_two:
        yield "verified by two sources without a second person"
    elif data.basis == "registry_and_operator" and not who.matched:
        yield "verified by a registry that doesn't know him as stated"
    only_him = who.claimants and all(same_person(one, data.by) for one in who.claimants)
    if only_him and not by_two and not who.life_now:
        yield "verified by the only operator who claimed the case"
    who.verified, who.rejected, who.contradicted_at = True, False, 0


def _assessed(trail: Trail, data: CredibilityAssessed, event: CaseEvent[Any]) -> Iterator[str]:
    if data.expires_at <= event.time - LEEWAY:
        yield "credibility was judged for a time that had passed"
    trail.who.level, trail.who.level_until = data.level, data.expires_at


def _review(trail: Trail, _data: ReviewOpened, _event: CaseEvent[Any]) -> None:
    trail.who.review_open = True


def _resolved(trail: Trail, _data: ReviewResolved, _event: CaseEvent[Any]) -> Iterator[str]:
    if not trail.who.review_open:
        yield "no review was open"
    trail.who.review_open = False


RULES: Rules = {
    PersonalDataProvided: _claimed,
    RegistryChecked: _checked,
    IdentityContradicted: _contradicted,
    IdentityRejected: _rejected,
    IdentityVerified: _verified,
    CredibilityAssessed: _assessed,
    ReviewOpened: _review,
    ReviewResolved: _resolved,
}
