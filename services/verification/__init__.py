"""verification decides who the caller is: it asks the registry, and a person decides in doubt.

Consumes PersonalDataProvided, RegistryChecked and CaseReopened from CASES, and its own timers;
answers the commands of `shared.commands.verification`; records the events of
`shared.events.verification`.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "verification"
CLAIMS = Durable(
    "verification",
    subjects.CASES,
    tuple(map(subjects.case_events, ("PersonalDataProvided", "RegistryChecked", "CaseReopened"))),
)
DUE = Durable(
    "verification", subjects.timers_stream("verification"), (subjects.due("verification", ">"),)
)
CONSUMES = (CLAIMS, DUE)
