"""How code may look: short, finished, no float near money, no clock in the rules."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.house.source import Module, is_within, python_files

FUNCTION_LINES = 50
FILE_LINES = 300
SQL_FUNCTION = re.compile(
    r"create or replace (?:function|procedure) duly\.(?P<name>\w+)"
    r"(?:(?!create or replace).)*?(?P<quote>\$\w*\$).*?(?P=quote)",
    re.DOTALL,
)

# Brackets keep this line from finding itself.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")

INEXACT = frozenset({"float", "Float", "Double", "REAL", "DOUBLE", "DOUBLE_PRECISION"})
# What the worker itself uses in `workflows`, outside of any execution.
OF_THE_WORKER = ("workflows.inputs",)
CHANGING = frozenset(
    {"add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
)
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"})
# What a library calls by its name, and a rule that SQL follows (tests/payments compares the two).
CALLED_BY_OTHERS = frozenset(
    {
        "get_external_store_context",
        "get_serialization_context",
        "intercept_activity",
        "intercept_client",
        "payment_state",
        "workflow_interceptor_class",
    }
)
PRINTERS = ("bench", "commands", "sandbox")


def long_functions(modules: Iterable[Module]) -> list[str]:
    """Return a line for each function longer than the cap, counted from `def` to its last line."""
    return [
        module.at(node.lineno, f"{node.name} has {length} lines, at most {FUNCTION_LINES}")
        for module in modules
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def long_sql_functions(root: Path) -> dict[str, int]:
    """Return the functions of the database that are longer than the cap, with their lines up to the closing quote."""
    files = sorted((root / "migrations" / "functions").rglob("*.sql"))
    written = [found for path in files for found in SQL_FUNCTION.finditer(path.read_text(encoding="utf-8"))]
    lengths = {found["name"]: found[0].count("\n") + 1 for found in written}
    return {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES}


def unused_names(modules: Iterable[Module], root: Path) -> list[str]:
    """Return a line for each function, property or name of a module in production that nothing there names again."""
    pages = " ".join(path.read_text(encoding="utf-8") for path in sorted((root / "web").rglob("*.html")))
    own = [module for module in modules if not is_within(module.name, ("sandbox", "tests"))]
    named = {name for module in own for node in module.nodes for name in _names_in(node)}
    named.update(re.findall(r"\w+", pages))
    return [
        module.at(node.lineno, f"nothing uses {name}")
        for module in own
        if not is_within(module.name, ("bench", "migrations.versions"))
        for node in (*_assignments(module), *_functions(module))
        for name in _defined_by(node)
        if name not in named and name not in CALLED_BY_OTHERS and not name.startswith("__")
    ]


def _assignments(module: Module) -> list[ast.stmt]:
    return [node for node in module.tree.body if isinstance(node, ast.Assign)]


def _functions(module: Module) -> list[ast.stmt]:
    return [node for node in module.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _defined_by(node: ast.stmt) -> list[str]:
    """A function with a decorator is called by whatever decorates it, but for a property."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() if all(
            isinstance(one, ast.Name) for one in node.decorator_list
        ):
            return [node.name]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case _:
            return []


def _names_in(node: ast.AST) -> Iterator[str]:
    """Names that are read; a word of a text may be one, as in templates and annotations."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()) | ast.keyword(arg=str(name)):
            yield name
        case ast.ImportFrom(names=names):
            yield from (alias.name for alias in names)
        case ast.Constant(value=str(text)) if text.isidentifier():
            yield text
        case _:
            return


def long_files(root: Path) -> list[str]:
    """Return a line for each Python or SQL file longer than the cap."""
    files = python_files(root) + sorted((root / "migrations").rglob("*.sql"))
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    return [
        f"{path.relative_to(root)}: {length} lines, at most {FILE_LINES}"
        for path, length in lengths.items()
        if length > FILE_LINES
    ]


def unfinished_code(modules: Iterable[Module]) -> list[str]:
    """Return a line for each `pass`, each NotImplementedError and each body of dots outside a protocol."""
    return [
        module.at(line, what) for module in modules for line, what in _unfinished_in(module.tree, in_protocol=False)
    ]


def _unfinished_in(node: ast.AST, *, in_protocol: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Pass):
        yield node.lineno, "`pass` does nothing: say what happens, or suppress by name"
    if isinstance(node, ast.Name) and node.id == "NotImplementedError":
        yield node.lineno, "NotImplementedError: code that is not there yet"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_dots(node) and not in_protocol:
        yield node.lineno, f"{node.name} has no body"
    inside = _is_protocol(node) if isinstance(node, ast.ClassDef) else in_protocol
    for child in ast.iter_child_nodes(node):
        yield from _unfinished_in(child, in_protocol=inside)


def _is_dots(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    last = function.body[-1]
    dots = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant) and last.value.value is ...
    return dots and not any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in function.decorator_list)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) for base in node.bases)


def unfinished_notes(paths: Iterable[Path], root: Path) -> list[str]:
    """Return a line for each note of unfinished work in any text."""
    return [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]


def inexact_numbers_in_models(modules: Iterable[Module]) -> list[str]:
    """Return a line for each float in models: a number, a type or a column. Seconds may be inexact."""
    return [
        module.at(node.lineno, f"`{ast.unparse(node)}` is inexact: money is int, a rate Decimal or basis points")
        for module in modules
        if is_within(module.name, ("models",))
        for node in _expressions(module.tree)
        if _is_inexact(node)
    ]


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Yield all expressions below a node, save the types of names that end in `_seconds`."""
    if isinstance(node, ast.AnnAssign | ast.arg) and any(name.endswith("_seconds") for name, _ in _annotated(node)):
        return
    if isinstance(node, ast.expr):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _expressions(child)


def _is_inexact(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, float)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in INEXACT
        case _:
            return False


def minor_units_that_are_not_int(modules: Iterable[Module]) -> list[str]:
    """Return a line for each name ending in `_minor` whose annotation has another number than int in it."""
    return [
        module.at(annotation.lineno, f"{name} is {ast.unparse(annotation)}: minor units are int")
        for module in modules
        for node in module.nodes
        for name, annotation in _annotated(node)
        if name.endswith("_minor") and re.search(r"\b(float|Decimal|str)\b", _without_keys(annotation))
    ]


def _without_keys(annotation: ast.expr) -> str:
    """Write an annotation without the key type of its mappings: amounts by currency have text for keys."""
    return re.sub(r"\b(Mapping|dict)\[str, ", "", ast.unparse(annotation))


def _annotated(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
            yield name, annotation
        case ast.arg(arg=name, annotation=ast.expr() as annotation):
            yield name, annotation
        case ast.FunctionDef(name=name, returns=ast.expr() as annotation):
            yield name, annotation
        case _:
            return


def clocks_in_rules(modules: Iterable[Module]) -> list[str]:
    """Return a line for each reading of a clock in models or workflows; workflows have `workflow.now()`."""
    return [
        module.at(node.lineno, f"{clock} reads a clock: take the time as an argument")
        for module in modules
        if is_within(module.name, ("models", "workflows"))
        for node in module.nodes
        if isinstance(node, ast.Call)
        if (clock := ".".join(ast.unparse(node.func).split(".")[-2:])) in CLOCKS
    ]


def kept_state(modules: Iterable[Module]) -> list[str]:
    """Return a line for each function of workflows that changes a name of its module: executions would share it."""
    return [
        module.at(line, f"changes {name}, which all executions share")
        for module in modules
        if is_within(module.name, ("workflows",)) and not is_within(module.name, OF_THE_WORKER)
        for line, name in _changes(module)
    ]


def _changes(module: Module) -> Iterator[tuple[int, str]]:
    own = {name for node in module.tree.body for name in _assigned(node)}
    for node in module.nodes:
        match node:
            case ast.Global(names=names):
                yield from ((node.lineno, name) for name in names)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name in own:
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                name in own and method in CHANGING
            ):
                yield node.lineno, name
            case ast.FunctionDef(decorator_list=marks):
                yield from ((node.lineno, node.name) for mark in marks if "cache" in ast.unparse(mark))
            case _:
                continue


def _assigned(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            return


def prints(modules: Iterable[Module]) -> list[str]:
    """Return a line for each print outside the packages that speak to a terminal."""
    return [
        module.at(node.lineno, "print: log a fact instead")
        for module in modules
        if not is_within(module.name, PRINTERS)
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
