"""keyholder is the one process that has keys: it seals and opens personal values for the others.

Answers `keyholder.<operation>.<service>` as the policy grants it, and records who opened what on
AUDIT before it answers. Consumes PersonalDataErased from CASES: it destroys the
keys. A timer of its own has it rotate them every night. When it has ended with exit code 0 the
installation is sealed.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "keyholder"
ERASURES = Durable("keyholder", subjects.CASES, (subjects.case_events("PersonalDataErased"),))
DUE = subjects.due_timers(SERVICE)
CONSUMES = (ERASURES, DUE)
