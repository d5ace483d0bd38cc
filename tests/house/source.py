"""Our own Python files as syntax trees: what the house rules are checked on."""

import ast
import gc
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "activities",
    "bench",
    "commands",
    "migrations",
    "models",
    "sandbox",
    "settings",
    "telemetry",
    "tests",
    "web",
    "workflows",
)


@dataclass(frozen=True)
class Module:
    """One Python file below the root of the project."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        """The dotted name it is imported by."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree, as `ast.walk` has them: many rules look through all, and to walk takes a second."""
        return tuple(ast.walk(self.tree))

    def at(self, line: int, what: str) -> str:
        """Say what is wrong and where."""
        return f"{self.path}:{line}: {what}"


def modules(root: Path = ROOT) -> Iterable[Module]:
    """Return every module of the packages and the entries, in order. Our own are read once for all rules."""
    return _our_modules() if root == ROOT else _read(root)


@cache
def _our_modules() -> tuple[Module, ...]:
    return _read(ROOT)


def _read(root: Path) -> tuple[Module, ...]:
    # Of a million nodes none is garbage: to look for it meanwhile took longer than to read them.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return tuple(
            Module(path.relative_to(root), ast.parse(path.read_text(encoding="utf-8"), str(path)))
            for path in python_files(root)
        )
    finally:
        if was_enabled:
            gc.enable()


def python_files(root: Path = ROOT) -> list[Path]:
    """Return the entries and all the files of the packages."""
    files = list(root.glob("*.py"))
    for package in PACKAGES:
        files.extend((root / package).rglob("*.py"))
    return sorted(files)


def is_within(name: str, prefixes: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of the prefixes or lies below one."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def plant(root: Path, files: dict[str, str]) -> Path:
    """Write files below `root`, to see a rule find what is wrong with them."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root
