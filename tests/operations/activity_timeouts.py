"""Time-outs side by side: what an activity gives the database, and what its workflow gives the activity."""

import ast
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from settings import Settings
from tests.house.source import Module
from workflows import options

_STARTS = frozenset({"execute_activity_method", "start_activity_method"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# The functions that a module knows by name, its own and what it imports, each with the module that it stands in.
Functions = dict[str, tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]
# What the activity does before and after its slowest statement, and the way of its answer.
MARGIN_SECONDS = 10.0


@dataclass(frozen=True)
class TimeOuts:
    """One call of an activity: the longest statement it may make, and when the server gives it up, in seconds."""

    activity: str
    statement: float
    given: float

    @property
    def is_cut_short(self) -> bool:
        """Whether the workflow repeats the activity while the database still works for it."""
        return self.statement + MARGIN_SECONDS > self.given


def time_outs(modules: Iterable[Module]) -> list[TimeOuts]:
    """Return every call of an activity by a workflow, with both time-outs."""
    everything = list(modules)
    by_name = {module.name: module for module in everything}
    statements = {name: seconds for module in everything for name, seconds in _statements(module, by_name)}
    return [
        TimeOuts(name, statements[name], given)
        for module in everything
        if module.path.parts[0] == "workflows"
        for name, given in _calls(module)
    ]


def longest_default() -> float:
    """Return the longest time-out that may be set for statements that state none."""
    limits = [getattr(each, "le", None) for each in Settings.model_fields["database_timeout_seconds"].metadata]
    return float(next(limit for limit in limits if limit is not None))


def _statements(module: Module, by_name: Mapping[str, Module]) -> Iterator[tuple[str, float]]:
    """Yield each activity of a module with the longest statement that it, or what it calls, may make."""
    activities = [
        (owner, method)
        for owner in module.tree.body
        if isinstance(owner, ast.ClassDef)
        for method in owner.body
        if isinstance(method, _FUNCTIONS) and any("activity.defn" in ast.unparse(d) for d in method.decorator_list)
    ]
    functions = _functions_of(module) | _imported_by(module, by_name) if activities else {}
    for owner, method in activities:
        stated = list(_stated(module, method, functions, frozenset()))
        default = [longest_default()] if "database" in ast.unparse(owner) else [0.0]
        yield f"{owner.name}.{method.name}", max(default + stated)


def _functions_of(module: Module) -> Functions:
    return {node.name: (module, node) for node in module.nodes if isinstance(node, _FUNCTIONS)}


def _imported_by(module: Module, by_name: Mapping[str, Module]) -> Functions:
    """Return the functions and the methods of classes that a module imports from others of ours."""
    found: Functions = {}
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and (origin := by_name.get(node.module or "")):
            names = {alias.name for alias in node.names}
            for each in origin.tree.body:
                if isinstance(each, (*_FUNCTIONS, ast.ClassDef)) and each.name in names:
                    found |= {one.name: (origin, one) for one in ast.walk(each) if isinstance(one, _FUNCTIONS)}
    return found


def _stated(module: Module, function: ast.AST, functions: Functions, seen: frozenset[str]) -> Iterator[float]:
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in functions and name not in seen:
            yield from _stated(*functions[name], functions, seen | {name})
        for keyword in call.keywords:
            if keyword.arg == "timeout_seconds":
                yield _seconds(module, keyword.value)


def _seconds(module: Module, value: ast.expr) -> float:
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float | None):
        return float(value.value or 0)
    if isinstance(value, ast.IfExp):
        return max(_seconds(module, value.body), _seconds(module, value.orelse))
    found = getattr(importlib.import_module(module.name), ast.unparse(value), None)
    if not isinstance(found, int | float):
        raise TypeError(module.at(value.lineno, f"time-out {ast.unparse(value)} is no number here: name a constant"))
    return float(found)


def _timing(value: ast.expr) -> options.Timing:
    """Return a timing by its name; of two that are chosen between the shorter."""
    if isinstance(value, ast.IfExp):
        return min((_timing(value.body), _timing(value.orelse)), key=lambda one: one["start_to_close_timeout"])
    found: options.Timing = getattr(options, ast.unparse(value))
    return found


def _calls(module: Module) -> Iterator[tuple[str, float]]:
    """Yield each activity that a module calls, with its time-out: the worker beats, however long a statement takes."""
    for call in (node for node in module.nodes if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _STARTS:
            timing = next(_timing(each.value) for each in call.keywords if each.arg is None)
            yield ast.unparse(call.args[0]), timing["start_to_close_timeout"].total_seconds()
