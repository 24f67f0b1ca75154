"""The closed catalogue of commands: every public class of these modules, and who answers it.

The command line and the API offer these.
"""

from collections.abc import Iterator
from types import ModuleType

from shared.commands import handover, intake, parked, people, shifts, verification
from shared.commands.base import Command


def _commands_in(module: ModuleType) -> Iterator[type[Command]]:
    for one in vars(module).values():
        if isinstance(one, type) and issubclass(one, Command) and one.__module__ == module.__name__:
            yield one


ANSWERED_BY: dict[type[Command], str] = {
    command: service
    for service, modules in {
        "intake": (intake, parked),
        "verification": (verification,),
        "handover": (handover,),
        "desk": (shifts, people),
    }.items()
    for module in modules
    for command in _commands_in(module)
}
"""Command -> the only service that answers it."""

COMMANDS: dict[str, type[Command]] = {command.__name__: command for command in ANSWERED_BY}
