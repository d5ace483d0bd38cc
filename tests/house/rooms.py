"""Rooms: the capability folders of the layers, how large a folder may grow, and which of them may import which."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.house.imports import ENTRIES, imports_of
from tests.house.source import Module

FOLDER_FILES, ROOM_USERS = 14, 3

LAYERS = ("models", "activities", "workflows", "commands")
CAPABILITIES = frozenset({
    "bank", "books", "cards", "collections", "configuration", "console", "disputes", "events", "gateway",
    "imports", "ledger", "merchants", "messages", "operations", "payments", "portal", "printouts",
    "reconciliation", "recovery", "reductions", "refunds", "reports", "runs", "subscriptions", "supervision",
    "vouchers", "wallets",
})  # fmt: skip
# Folders that are no capability, with the reason why they stand beside them.
OTHER_FOLDERS: Mapping[str, Mapping[str, str]] = {
    "models": {"tables": "the typed tables, one list for every capability"},
    "workflows": {"inputs": "what every workflow's input, updates, queries and signals are checked by"},
    "commands": {
        "changing": "how every command that changes something keeps who and why, and asks before what is final",
        "lists": "how every list is answered: a page, what comes next, totals, CSV",
        "waiting": "how every command waits for a workflow, and names the worker that is missing",
    },
    "tests": {
        "bench": "mirrors bench/",
        "browser": "the Temporal UI as operators see it",
        "contract": "what services in any language may send to every workflow",
        "demo": "mirrors sandbox/demo",
        "fixtures": "what pytest loads for every test",
        "house": "the rules of the code itself",
        "mutants": "bugs seeded into workflows and activities, each with the test that finds it",
        "replay": "recorded histories of every workflow",
        "sandbox": "mirrors sandbox/stripe",
        "security": "what must never be kept or read, whatever is sent: card numbers, plain histories, nonsense",
        "compose": "carries out docker-compose.yml",
        "stack": "mirrors sandbox/servers and the stack",
        "support": "helpers that several folders import",
        "upgrades": "kept releases, and how they are brought to this one",
        "walkthrough": "carries out docs/first-month.md",
    },
}
# Folders that are as a file at the layer's root: everybody may import them.
SHARED = frozenset({("workflows", "inputs"), ("commands", "waiting"), ("commands", "lists"), ("commands", "changing")})

# Files at a root that bring rooms together, with the reason. No room may import them: nobody lists arrows of a root.
COMPOSITIONS: Mapping[str, str] = {
    "models.workflow_inputs": "which texts of every workflow's input keep which rule",
    "workflows.registered": "every workflow, for the worker and the replays",
}

LARGE_FOLDERS = {
    "tests/replay/histories": "data: one recorded history a file",
    "bench/results": "data: one measured figure a file",
    **dict.fromkeys(
        (f"activities/messages/templates/{group}" for group in ("operators", "en", "de")),
        "data: one text a kind of message",
    ),
    "migrations/versions": "one revision a change of tables, which alembic reads from one folder",
}

# Who imports whom inside a layer. What many need stands at the layer's root, which everybody may import.
ARROWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "models": {
        "bank": ("imports", "ledger"),
        "cards": ("messages",),
        "collections": ("gateway", "messages"),
        "disputes": ("gateway",),
        "imports": ("gateway", "subscriptions"),
        "merchants": ("gateway",),
        "messages": ("gateway",),
        "operations": ("disputes", "gateway", "refunds"),
        "payments": ("gateway", "imports"),
        "printouts": ("ledger",),
        "recovery": ("gateway", "merchants"),
        "reductions": ("imports",),
        "refunds": ("gateway",),
        "reports": ("runs", "subscriptions"),
        "runs": ("gateway",),
        "subscriptions": ("gateway", "runs"),
        "tables": ("ledger", "messages"),
    },
    "activities": {
        "bank": ("imports", "ledger"),
        "books": ("ledger",),
        "cards": ("gateway",),
        "collections": ("gateway",),
        "console": ("collections",),
        "disputes": ("gateway",),
        "events": ("gateway", "merchants", "messages"),
        "imports": ("subscriptions",),
        "merchants": ("collections", "gateway"),
        "messages": ("bank",),
        "operations": ("runs",),
        "payments": ("cards", "collections", "gateway"),
        "printouts": ("books", "ledger", "messages", "reports"),
        "reconciliation": ("gateway", "ledger"),
        "recovery": ("collections", "events", "gateway", "refunds"),
        "reductions": ("configuration",),
        "reports": ("configuration",),
        "refunds": ("gateway",),
        "supervision": ("collections", "events"),
        "vouchers": ("ledger",),
        "wallets": ("ledger",),
    },
    "workflows": {
        "cards": ("messages",),
        "collections": ("messages", "payments"),
        "disputes": ("messages", "refunds"),
        "events": ("cards", "disputes", "gateway", "reconciliation", "refunds"),
        "payments": ("messages",),
        "reconciliation": ("disputes", "refunds"),
        "reductions": ("refunds",),
        "refunds": ("collections", "messages"),
        "reports": ("runs",),
        "runs": ("collections", "events", "ledger", "messages", "reconciliation", "reductions", "refunds"),
        "supervision": (
            *("cards", "collections", "disputes", "events", "merchants", "messages"),
            *("payments", "reductions", "refunds", "runs"),
        ),
    },
    "commands": {
        "books": ("ledger", "payments", "printouts"),
        "configuration": ("console",),
        "console": ("bank", "ledger", "refunds"),
        "ledger": ("imports",),
        "merchants": ("reductions",),
        "operations": ("runs", "supervision"),
        "payments": ("ledger",),
        "refunds": ("runs",),
        "reports": ("runs",),
    },
}


def large_folders(root: Path) -> list[str]:
    """Return a line for each folder with more files than the cap; the empty markers of packages do not count."""
    counts: dict[str, int] = defaultdict(int)
    for top in (*LAYERS, "bench", "migrations", "sandbox", "settings", "telemetry", "tests", "web"):
        for path in (root / top).rglob("*"):
            if path.is_file() and path.name != "__init__.py" and "__pycache__" not in path.parts:
                counts[path.parent.relative_to(root).as_posix()] += 1
    return [
        f"{folder}: {count} files, at most {FOLDER_FILES}"
        for folder, count in sorted(counts.items())
        if count > FOLDER_FILES and folder not in LARGE_FOLDERS
    ]


def unknown_rooms(root: Path) -> list[str]:
    """Return a line for each folder of a layer, of the database's functions or of the tests that is no capability."""
    return [
        f"{top}/{folder.name}: is none of the capabilities"
        for top in (*LAYERS, "migrations/functions", "tests")
        for folder in _folders(root / top)
        if folder.name not in CAPABILITIES and folder.name not in OTHER_FOLDERS.get(top, {})
    ]


def unlisted_arrows(modules: Iterable[Module]) -> list[str]:
    """Return a line for each import of another room of the same layer that is not listed."""
    return [
        module.at(line, f"imports {imported}: {layer} has no arrow from {room} to {other}")
        for module, line, imported, layer, room, other in _crossings(modules)
        if other not in ARROWS[layer].get(room, ())
    ]


def arrows_by_way_of_a_root(modules: Iterable[Module]) -> list[str]:
    """Return a line for each import of a room by its layer's root, and of what brings rooms together by a room."""
    return [
        module.at(line, f"imports {imported}: {what}")
        for module in modules
        for line, imported in imports_of(module)
        if (what := _detour(module, imported))
    ]


def _detour(module: Module, imported: str) -> str:
    layer, *rest = imported.split(".")
    if layer != module.path.parts[0] or layer not in LAYERS:
        return ""
    if _room(module):
        return "no room imports what joins rooms" if _prefixes(imported) & COMPOSITIONS.keys() else ""
    is_of_a_room = bool(rest) and rest[0] in CAPABILITIES
    return "what is shared knows no room" if is_of_a_room and module.name not in COMPOSITIONS else ""


def empty_rooms(root: Path) -> list[str]:
    """Return a line for each capability that no layer has a folder for, or the tests have none for."""
    return [
        f"{capability}: {what}"
        for capability in sorted(CAPABILITIES)
        for what, tops in (("has no code", LAYERS), ("has no tests", ("tests",)))
        if not any((root / top / capability).is_dir() for top in tops)
    ]


def undocumented_rooms(texts: Mapping[str, str]) -> list[str]:
    """Return a line for each capability that a document does not name as code."""
    return [f"{at}: {room}" for at, text in texts.items() for room in sorted(CAPABILITIES) if f"`{room}`" not in text]


def unused_arrows(modules: Iterable[Module]) -> list[str]:
    """Return a line for each listed arrow that nothing needs any more."""
    used = {(layer, room, other) for _, _, _, layer, room, other in _crossings(modules)}
    return [
        f"{layer}: nothing goes from {room} to {other} any more"
        for layer, rooms in ARROWS.items()
        for room, others in rooms.items()
        for other in others
        if (layer, room, other) not in used
    ]


def circles(arrows: Mapping[str, Mapping[str, Iterable[str]]]) -> list[str]:
    """Return a line for each layer whose arrows lead round in a circle."""
    found = []
    for layer, rooms in arrows.items():
        try:
            TopologicalSorter(rooms).prepare()
        except CycleError as error:
            found.append(f"{layer}: {' -> '.join(error.args[1])}")
    return found


def misplaced_root_files(modules: Iterable[Module]) -> list[str]:
    """Return a line for each file at a layer's root that fewer than three capabilities need, and no entry."""
    everything = list(modules)
    users = _users_of_roots(everything)
    return [
        f"{module.path}: is needed by {', '.join(sorted(found)) or 'nobody'}; it belongs there"
        for module in everything
        if _is_at_root(module) and not (found := users[module.name]) & set(ENTRIES)
        if len(found & CAPABILITIES) < ROOM_USERS
    ]


def _users_of_roots(modules: list[Module]) -> Mapping[str, set[str]]:
    """Return for each file at a root the capabilities and entries that import it, by way of other root files too."""
    roots = {module.name for module in modules if _is_at_root(module) or module.path.parts[:2] in SHARED}
    users: dict[str, set[str]] = defaultdict(set)
    between: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        for _, imported in imports_of(module):
            for root in _prefixes(imported) & roots:
                if module.name in roots:
                    between[module.name].add(root)
                elif room := _room(module) or module.name * (module.name in ENTRIES):
                    users[root].add(room)
    for _ in roots:
        for importer, imported_roots in between.items():
            for root in imported_roots:
                users[root] |= users[importer]
    return users


def _crossings(modules: Iterable[Module]) -> Iterator[tuple[Module, int, str, str, str, str]]:
    for module in modules:
        room, layer = _room(module), module.path.parts[0]
        if not room:
            continue
        for line, imported in imports_of(module):
            parts = imported.split(".")
            if parts[0] == layer and len(parts) > 1 and parts[1] != room and parts[1] in _rooms_of(layer):
                yield module, line, imported, layer, room, parts[1]


def _rooms_of(layer: str) -> frozenset[str]:
    return (CAPABILITIES | frozenset(OTHER_FOLDERS.get(layer, {}))) - {folder for top, folder in SHARED if top == layer}


def _room(module: Module) -> str:
    parts = module.path.parts
    return parts[1] if parts[0] in LAYERS and len(parts) > 2 and parts[:2] not in SHARED else ""


def _is_at_root(module: Module) -> bool:
    parts = module.path.parts
    return parts[0] in LAYERS and len(parts) == 2 and parts[1] != "__init__.py"


def _prefixes(name: str) -> set[str]:
    return {".".join(name.split(".")[:end]) for end in range(1, name.count(".") + 2)}


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.glob("*") if each.is_dir() and not each.name.startswith(("_", ".")))
