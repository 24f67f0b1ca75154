"""First names, compared by the table of given names."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from shared.matching.given_names import NOTHING, given_names
from shared.matching.readings import KEPT, Keys, bases, readings
from shared.matching.verdicts import Judged, Verdict


class FirstName(NamedTuple):
    keys: Keys
    names: frozenset[int]
    """The table lines on which it appears."""
    bases: frozenset[int]
    """The table lines of which it may be another grammatical case."""


@lru_cache(maxsize=KEPT)
def first_name(word: str) -> FirstName:
    keys, table = readings(word), given_names()
    names = table.any(keys)
    return FirstName(keys, names, table.any(bases(keys)) if keys else NOTHING)


def is_of_one_gender(words: Sequence[str]) -> bool:
    """Whether all these are names, and none of them may be another gender's."""
    table = given_names()
    names = [first_name(word).names for word in words]
    return all(names) and len({table.names[line].gender for some in names for line in some}) == 1


def judged_first_names(one: Sequence[str], other: Sequence[str], *, inflected: bool) -> Judged:
    """`inflected`: one side's whole name seems to be in another grammatical case."""
    both = f"{' '.join(one)}, {' '.join(other)}"
    if readings("".join(one)) & readings("".join(other)):
        return Judged("agrees", f"{' '.join(one)} = {' '.join(other)}")
    few, many = sorted((one, other), key=len)
    several = [[_judged(mine, theirs, inflected) for theirs in many] for mine in few]
    verdicts = [{verdict for verdict, _ in row} for row in several]
    if all("agrees" in row for row in verdicts):
        return Judged("agrees", f"{' '.join(one)} = {' '.join(other)}, one given name")
    if any("agrees" in row for row in verdicts):
        return Judged("says_nothing", f"{both}: one of several names is the same")
    reasons = [reason for row in several for verdict, reason in row if verdict == "says_nothing"]
    if reasons:
        return Judged("says_nothing", f"{both}: {reasons[0]}")
    return Judged("conflicts", f"{both}: two given names")


def _judged(one: str, other: str, inflected: bool) -> tuple[Verdict, str]:
    mine, theirs = first_name(one), first_name(other)
    if mine.keys & theirs.keys or mine.names & theirs.names:
        return "agrees", ""
    if inflected and (mine.bases & theirs.names or mine.names & theirs.bases):
        return "says_nothing", "one name in another grammatical case"
    if not mine.names or not theirs.names:
        return "says_nothing", "a name is not in the table"
    if given_names().often_one(mine.names, theirs.names):
        return "says_nothing", "two names that are often one man's"
    return "conflicts", ""
