"""What desk does automatically after an event."""

from services.desk.words import erase_words
from shared.events.intake import PersonalDataErased
from shared.events.people import DecisionAgreed, DecisionProposed, EnrolmentOffered
from shared.skeleton.reactions import Reactions, set_timers

REACTIONS: Reactions = {
    EnrolmentOffered: (set_timers,),
    DecisionProposed: (set_timers,),
    DecisionAgreed: (set_timers,),
    PersonalDataErased: (erase_words,),
}
