"""Names: one class a name, and the words of the field instead of images, in identifiers and in names of files."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.house.imports import ENTRIES
from tests.house.rooms import LAYERS
from tests.house.source import Module, is_within

# The word, and what the field says instead.
DENIED: dict[str, str] = {
    "asking": "attempt, request",
    "bunch": "batch",
    "bunches": "batches",
    "desk": "handlers",
    "fate": "outcome, script",
    "fuse": "crash trigger",
    "hear": "wake, record",
    "heard": "recorded, delivered",
    "leg": "measured run",
    "legs": "measured runs",
    "letter": "message",
    "letterhead": "sender",
    "letters": "messages",
    "lingering": "termination poll",
    "look": "check, probe",
    "looked": "checked, probed",
    "looks": "checks",
    "mortal": "killable",
    "news": "event, signal",
    "patience": "time-out",
    "peer": "the other system's name",
    "rehearsal": "dry run",
    "rehearsals": "dry runs",
    "said": "result, printed, recorded",
    "speakable": "customer reason",
    "stride": "warm-up",
    "strike": "injected fault",
    "strikes": "injected faults",
    "struck": "injected",
    "swallow": "drop",
    "swallowed": "dropped",
    "swallowing": "dropping",
    "tell": "notify, signal",
    "telling": "surfacing, rendering",
    "till": "client of refunds",
    "told": "signalled, notified",
    "trouble": "problem, fault",
    "troubles": "problems, faults",
    "vigil": "waiter",
}

# Whole names whose words are plain each by itself, and what they became (the redesign's table of names).
RENAMED: dict[str, str] = {
    "IN_THE_END": "UNTIL_DONE",
    "SILENCE": "HEARTBEAT_TIMEOUT",
    "SignsOfLife": "Heartbeats",
    "WakeKind": "WakeReason",
    "_do": "what is done",
    "_take_up": "what is done with it",
    "act_on_giving_up": "apply_give_up_action",
    "judge_members": "evaluate_members",
    "note_page": "record_page",
    "orders_at": "actions_at",
    "refuse_because": "refuse",
    "settle_pair": "allocate_pair",
    "validation_to_ask": "validation_attempt",
    "why_skipped": "skip_reason",
    "write_end": "write_closing_message",
}

# Names in which a denied word is the right one, with the reason.
ALLOWED: Mapping[str, str] = {
    "letter": "a letter of the alphabet",
    "letters": "letters of the alphabet",
    "_letters": "letters of the alphabet",
    "_LETTERS_BEFORE_DIGITS": "letters of the alphabet",
    "look_up": "a common verb of databases",
    "LOOKED_UP": "a common verb of databases",
}


# In sentences most of these words have a plain meaning as well; these have none that we need.
DENIED_IN_PROSE = frozenset(
    {
        "bunch",
        "bunches",
        "desk",
        "fate",
        "letterhead",
        "lingering",
        "mortal",
        "news",
        "rehearsal",
        "rehearsals",
        "speakable",
        "strikes",
        "struck",
        "swallowed",
        "swallowing",
        "trouble",
        "troubles",
        "vigil",
    }
)
# Who quotes such a word: the deny list, its tests, an option of Temporal's server, a dictionary.
PROSE_ALLOWED = frozenset(
    {
        "tests/house/names.py",
        "tests/test_names.py",
        "sandbox/servers/temporal.py",
        "tests/runs/control/test_handing_over.py",
    }
)
_WORD = re.compile(r"[A-Za-z]+")
_TEST = re.compile(r"def test_\w+")
_SQL_COMMENT_OR_TEXT = re.compile(r"--[^\n]*|'[^']*'")
_SQL_NAME = re.compile(r"[A-Za-z_]\w*")


def classes_defined_twice(modules: Iterable[Module]) -> list[str]:
    """Return a line for each public class or union of classes in what runs in production whose name another one has."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        if is_within(module.name, (*LAYERS, *ENTRIES, "migrations", "settings", "telemetry", "web")):
            for node in module.nodes:
                if name := _class_named_by(node):
                    homes[name].append(module.name)
    return [f"{name}: {', '.join(places)}" for name, places in sorted(homes.items()) if len(places) > 1]


def images_in_code(modules: Iterable[Module]) -> list[str]:
    """Return a line for each name with a denied word. A test's name is a sentence and may have any word."""
    return [
        module.at(line, _complaint(name, word))
        for module in modules
        for line, name in _names(module.tree)
        if not name.startswith("test_")
        for word in _denied_in(name)
    ]


def images_in_sql(root: Path) -> list[str]:
    """Return a line for each name in SQL with a denied word in it: of functions, columns, arguments, variables."""
    return [
        f"{path.relative_to(root)}: {_complaint(name, word)}"
        for path in sorted((root / "migrations").rglob("*.sql"))
        for name in sorted(set(_SQL_NAME.findall(_SQL_COMMENT_OR_TEXT.sub("", path.read_text(encoding="utf-8")))))
        for word in _denied_in(name)
    ]


def images_in_prose(paths: Iterable[Path], root: Path) -> list[str]:
    """Return a line for each image in a text: in documents, comments, docstrings and messages, not in a test's name."""
    return [
        f"{path.relative_to(root)}:{number}: {word} is an image; the field says {DENIED[word]}"
        for path in paths
        if path.relative_to(root).as_posix() not in PROSE_ALLOWED
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for word in sorted({each.lower() for each in _WORD.findall(_TEST.sub("", line))} & DENIED_IN_PROSE)
    ]


def images_in_files(paths: Iterable[Path]) -> list[str]:
    """Return a line for each file or folder with a denied word in its name."""
    return [
        f"{path}: {_complaint(part, word)}"
        for path in paths
        for part in (*path.parts[:-1], path.stem)
        for word in _denied_in(part)
    ]


def _class_named_by(node: ast.AST) -> str:
    """Return the public class that a node defines, or the union of classes that it names; empty for anything else."""
    match node:
        case ast.ClassDef(name=name):
            return "" if name.startswith("_") else name
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(op=ast.BitOr())) if name[0].isupper():
            return "" if name.isupper() else name
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
            return name
        case _:
            return ""


def _denied_in(name: str) -> list[str]:
    if name in ALLOWED:
        return []
    if name in RENAMED:
        return [name]
    words = (word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))
    return [word for word in words if word in DENIED]


def _complaint(name: str, word: str) -> str:
    return f"{name} has an image in it: {word}; the field says {(DENIED | RENAMED)[word]}"


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of everything that a module names: functions, classes, arguments, variables, aliases."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case _:
                continue
