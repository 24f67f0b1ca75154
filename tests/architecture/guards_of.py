"""Which guards a function of a service names, in the order of the source and of what it calls.

Every mention counts, whether the guard is required, raised, or handed to another function.
Functions are followed through all modules of the service and of `shared`.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from shared.refusals import Guard

NO_GUARDS = ("shared.refusals", "shared.diagnostics.logger", "shared.jetstream")
"""Modules whose functions name none, and aren't read."""


@dataclass
class Reading:
    """Follows the source from one function on; `known` are the methods it may follow by name."""

    service: str
    known: dict[str, list[FunctionType]]
    stop_at: str = "\0"
    """Functions whose names begin so are met, and not followed."""
    guards: list[Guard] = field(default_factory=list)
    met: list[FunctionType] = field(default_factory=list)

    def follow(self, function: FunctionType) -> None:
        if function in self.met:
            return
        self.met.append(function)
        if not function.__name__.startswith(self.stop_at):
            self._read(_source_of(function), import_module(function.__module__))

    def _read(self, node: ast.AST, module: ModuleType) -> None:
        match node:
            case ast.FunctionDef():
                for statement in node.body:
                    self._read(statement, module)
            case ast.Call(
                func=ast.Name(id="Guard"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(satisfied_by))],
            ):
                self._take(Guard(name, satisfied_by))
            case ast.Call(func=called):
                # What is handed over is named before what the called function asks for.
                for argument in [*node.args, *(one.value for one in node.keywords)]:
                    self._read(argument, module)
                self._read(called, module)
            case ast.Name() | ast.Attribute():
                self._meet(node, module)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._read(child, module)

    def _meet(self, node: ast.Name | ast.Attribute, module: ModuleType) -> None:
        found = _value_of(node, module)
        if found is None and isinstance(node, ast.Attribute):
            self._read(node.value, module)
            methods = self.known.get(node.attr, [])
            found = methods[0] if len(methods) == 1 else None
        for one in _members(found):
            if isinstance(one, Guard):
                self._take(one)
            elif isinstance(one, FunctionType) and self._is_ours(one):
                self.follow(one)

    def _is_ours(self, function: FunctionType) -> bool:
        name = function.__module__
        ours = name.startswith((f"services.{self.service}.", "shared."))
        return ours and not name.startswith(NO_GUARDS)

    def _take(self, guard: Guard) -> None:
        if guard not in self.guards:
            self.guards.append(guard)


def reading(service: str, modules: list[ModuleType], stop_at: str = "\0") -> Reading:
    """A reading of a service made of these modules."""
    known: dict[str, list[FunctionType]] = {}
    for module in modules:
        for one in vars(module).values():
            if inspect.isclass(one) and one.__module__ == module.__name__:
                for name, method in vars(one).items():
                    plain = method.fget if isinstance(method, property) else method
                    if isinstance(plain, FunctionType) and plain.__module__ == module.__name__:
                        known.setdefault(name, []).append(plain)
    return Reading(service, known, stop_at)


def functions_in(module: ModuleType) -> Iterator[FunctionType]:
    for one in vars(module).values():
        if isinstance(one, FunctionType) and one.__module__ == module.__name__:
            yield one


def _value_of(node: ast.Name | ast.Attribute, module: ModuleType) -> Any:
    """What a name, dotted or not, means in a module; None where it means nothing there."""
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    if isinstance(node.value, ast.Name | ast.Attribute):
        within = _value_of(node.value, module)
        if isinstance(within, ModuleType):
            return getattr(within, node.attr, None)
    return None


def _members(found: Any) -> list[Any]:
    """What stands in a table of guards or functions, or the one thing itself."""
    if isinstance(found, dict):
        return [one for value in found.values() for one in _members(value)]
    if isinstance(found, tuple | list | frozenset) and not hasattr(found, "_fields"):
        return [one for value in found for one in _members(value)]
    return [found]


@cache
def _functions_of(module_name: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(import_module(module_name)))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.FunctionDef):
                    found[f"{node.name}.{one.name}"] = one
    return found


def _source_of(function: FunctionType) -> ast.AST:
    return _functions_of(function.__module__).get(function.__qualname__, ast.Pass())
