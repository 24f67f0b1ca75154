"""verification decides who the caller is: it asks the registry, and a person decides in doubt.

Consumes PersonalDataProvided and RegistryChecked from CASES; answers the commands of
`shared.commands.verification`; records the events of `shared.events.verification`.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "verification"
CLAIMS = Durable(
    "verification",
    subjects.CASES,
    (subjects.case_events("PersonalDataProvided"), subjects.case_events("RegistryChecked")),
)
CONSUMES = (CLAIMS,)
