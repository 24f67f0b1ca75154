"""What desk does automatically after an event."""

from shared.events.people import DecisionProposed, EnrolmentOffered
from shared.skeleton.reactions import Reactions, set_timers

REACTIONS: Reactions = {
    EnrolmentOffered: (set_timers,),
    DecisionProposed: (set_timers,),
}
