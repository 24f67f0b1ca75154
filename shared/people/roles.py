"""The roles that people may have; a person may have several."""

from typing import Literal, get_args

Role = Literal["operator", "verifier", "coordinator", "supervisor", "auditor", "integration"]
ROLES: tuple[Role, ...] = get_args(Role)
