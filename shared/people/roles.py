"""The roles that people may have; a person may have several."""

from typing import get_args

from shared.events.people import Role

__all__ = ["ROLES", "Role"]

ROLES: tuple[Role, ...] = get_args(Role)
