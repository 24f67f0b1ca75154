"""The guard table finds what the code asks, wherever it asks it."""

from __future__ import annotations

from shared.commands.catalogue import COMMANDS
from tests.architecture.guard_table import defined, guards_of_every_command, rows


def guards_of(command: str) -> list[str]:
    return [guard.name for row in rows() if command in row.commands for guard in row.guards]


def test_guards_stand_in_the_order_in_which_they_are_asked() -> None:
    found = guards_of("ApproveRendezvous")
    assert found.index("case_known") < found.index("rendezvous_current")
    assert found.index("rendezvous_current") < found.index("another_person")


def test_a_guard_of_a_handler_is_found_through_what_it_calls() -> None:
    assert "identity_claimed" in guards_of("CheckRegistry")


def test_the_write_path_asks_every_command() -> None:
    found = {guard.name for guard in guards_of_every_command()}
    assert {"happened_by_now", "own_command", "seen_version"} <= found


def test_every_guard_that_is_defined_is_asked() -> None:
    asked = {guard for row in rows() for guard in row.guards}
    assert [where for where, guard in defined().items() if guard not in asked] == []


def test_a_guard_has_one_definition_and_the_same_words_in_every_service() -> None:
    names = [guard.name for guard in defined().values()]
    assert [name for name in names if names.count(name) > 1] == []


def test_every_command_in_the_table_is_in_the_catalogue() -> None:
    assert {name for row in rows() for name in row.commands} <= set(COMMANDS)
