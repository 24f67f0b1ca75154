"""The kinds of stories that the demo plays, and how often each happens in a day."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from passage.demo import callers, casework, crossings, stories
from passage.demo.acts import End
from passage.demo.player import Player

CALLS_A_DAY = 100

Story = Callable[[Player], Awaitable[list[End]]]


class Kind(NamedTuple):
    """A kind of story; `times` is how often it happens on a day of CALLS_A_DAY."""

    story: Story
    calls: int
    times: int


KINDS = (
    Kind(crossings.straight, 2, 3),
    Kind(stories.advice, 1, 6),
    Kind(stories.silent, 1, 3),
    Kind(stories.relative, 2, 4),
    Kind(stories.hoax, 1, 4),
    Kind(crossings.waiting_to_cross, 1, 5),
    Kind(casework.journalist, 1, 3),
    Kind(crossings.first_call_from_the_field, 2, 2),
    Kind(casework.message_to_the_caller, 1, 2),
    Kind(stories.no_service_number, 1, 2),
    Kind(stories.withdrew, 1, 2),
    Kind(stories.calls_again_after_closing, 2, 2),
    Kind(casework.group_of_four, 2, 1),
    Kind(casework.counts_differ, 2, 1),
    Kind(casework.forced_to_call, 2, 1),
    Kind(casework.planned_elsewhere, 2, 1),
    Kind(casework.exchanged_and_calls_again, 3, 1),
    Kind(casework.taken_over, 1, 1),
    Kind(crossings.another_phone, 2, 1),
    Kind(crossings.missed_and_planned_again, 2, 1),
    Kind(crossings.refused_by_one_team, 2, 1),
    Kind(crossings.contact_lost, 2, 1),
    Kind(crossings.lost_and_found, 3, 1),
    Kind(crossings.two_people_needed, 2, 1),
    Kind(crossings.ten_of_us, 2, 1),
    Kind(stories.two_calls_at_once, 2, 1),
    Kind(stories.two_withheld_numbers, 3, 1),
    Kind(stories.delivered_three_times, 1, 1),
    Kind(stories.contradicted_then_corrected, 1, 1),
    Kind(stories.contradicted_and_overruled, 1, 1),
    Kind(stories.one_field_differs, 1, 1),
    Kind(stories.only_the_year, 1, 1),
    Kind(stories.latin_lookalikes, 1, 1),
    Kind(stories.hoax_that_was_real, 1, 1),
    Kind(stories.nobody_knows_him, 1, 1),
    Kind(callers.hidden_in_many_words, 4, 1),
    Kind(callers.both_spellings_of_a_number, 2, 1),
    Kind(callers.edited, 2, 1),
    Kind(callers.code_among_words, 2, 1),
    Kind(callers.spelled_as_in_his_passport, 1, 1),
)
