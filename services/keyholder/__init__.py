"""keyholder is the only process with keys: it seals and opens personal values for the others.

Answers `keyholder.<operation>.<service>` as the policy grants it, and records every opening on
AUDIT before it answers. Consumes PersonalDataErased and WordsErased from CASES and destroys the
keys. A timer of its own rotates the keys every night. Once it has exited with code 0, the
installation is sealed.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "keyholder"
ERASURES = Durable(
    "keyholder",
    subjects.CASES,
    (subjects.case_events("PersonalDataErased"), subjects.case_events("WordsErased")),
)
DUE = subjects.due_timers(SERVICE)
CONSUMES = (ERASURES, DUE)
