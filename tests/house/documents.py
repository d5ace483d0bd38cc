"""What the documents say, to be compared with what is so. As a program, prints the table of the settings."""

import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias, get_args

import typer
from pydantic.fields import FieldInfo

from settings import Settings, environment_name

Commands: TypeAlias = dict[str, "Commands"]

HEADINGS = ["Context", "Decision", "Alternatives", "Consequences"]
RECORD_LINES = 60
# What a reader greps for of a question, and how much of a file says what it decides.
_ASKED = re.compile(r"does not answer|classified|posted|FIFO|VAT|idempotency key|expiry|paused")
HEAD_CHARACTERS = 400

# A file of ours by its path; and where code mentions a function or table: a comment of SQL, parentheses in a docstring.
MENTIONED_FILE = re.compile(
    r"(?<![\w/.{}-])(?:(?:activities|models|tests|workflows)/[\w/]+\.(?:py|sql)|migrations/[\w/]+\.sql)\b"
)
MENTIONING = re.compile(r"--.*|\(duly\.\w+\)")
OF_DATABASE = re.compile(r"\bduly\.\w+")
CODE = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```.*?^```|(?:^(?: {4}|\t).*\n?)+", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MAKE = re.compile(r"\bmake ([a-z]+)")
DULY = re.compile(r"(?<![\w./-])(?:duly|starter\.py)((?: [a-z][a-z-]*(?![\w./-]))+)")
# A whole command line of ours in a block of code, with what compose or a shell puts before it.
TYPED = re.compile(
    r"^(?:\$ )?(?:\S*/)?(?:duly|python starter\.py|docker compose run (?:.+ )?starter(?:\.py)?)(?: (.*))?$"
)
PROMPT, USAGE, END_OF_COMMAND = "$ ", "[OPTIONS]", frozenset({"|", ">", ">>", "&", "&&", ";"})

# A project knows no path of one machine and no registry; brackets keep the lines from finding themselves.
OF_A_MACHINE = re.compile(r"(?<![\w.-])/(wor[k]/|roo[t]/|home/(?!user)[a-z]+/|opt/(wheel[s]|pyp[i])|tm[p]/duly[-/])")
OF_A_REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|deb[.]debian|proxy[.]golang|index-ur[l]=")


def setting_rows() -> list[str]:
    """Return the row of each setting in the table of docs/operations.md."""
    return [
        f"| `{environment_name(name)}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: object = field.default
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "none" if value in ("", None, ()) else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def code_of(text: str) -> str:
    """Return what stands as code in a Markdown text."""
    return "\n".join(CODE.findall(text))


def unknown_targets(text: str, makefile: str) -> list[str]:
    """Return the make targets that a text shows and the Makefile lacks."""
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    return sorted(set(MAKE.findall(code_of(text))) - targets)


def unknown_commands(text: str, program: Commands) -> list[str]:
    """Return the commands of `duly` that a text names in a line of prose and the program lacks."""
    named = "\n".join(NAMED.findall(BLOCK.sub("", text)))
    shown = {tuple(words.split()) for words in DULY.findall(named)}
    return sorted(" ".join(words) for words in shown if not _is_known(words, program))


def _is_known(words: tuple[str, ...], commands: Commands) -> bool:
    # What follows the last noun or verb is an argument, whatever it says.
    if not words or not commands:
        return True
    return words[0] in commands and _is_known(words[1:], commands[words[0]])


def refused_commands(document: Path, program: Any) -> list[str]:
    """Return the command lines in a document's blocks of code that the program's own parser refuses, and why."""
    return [
        f"{document.name}:{number}: {line}: {problem}"
        for number, line in typed_commands(document.read_text(encoding="utf-8"))
        if (problem := _refusal(_words(line), program))
    ]


def typed_commands(text: str) -> Iterator[tuple[int, str]]:
    """Yield the words behind `duly` of each command line in a text's blocks of code, with its line.

    In a block with prompts what has none is output.
    """
    for block in BLOCK.finditer(text):
        prompt = PROMPT if f"\n{PROMPT}" in block[0] else ""
        first = text.count("\n", 0, block.start()) + 1
        joined, begun = "", first
        for number, line in enumerate(block[0].splitlines(), start=first):
            begun = begun if joined else number
            joined += line.strip()
            if joined.endswith("\\"):
                joined = joined.removesuffix("\\")
                continue
            if joined.startswith(prompt) and (typed := TYPED.match(joined)) and USAGE not in joined:
                yield begun, typed[1] or ""
            joined = ""


def command_of(line: str, program: Any) -> str:
    """Return the noun and verb of the words behind `duly`."""
    names, below = [], getattr(program, "commands", {})
    for word in _words(line):
        if word not in below:
            break
        names.append(word)
        below = getattr(below[word], "commands", {})
    return " ".join(names)


def _words(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    return words[: next((place for place, word in enumerate(words) if word in END_OF_COMMAND), len(words))]


def _refusal(words: list[str], command: Any) -> str:
    """Return what is wrong with the words behind a command, "" when nothing is; nothing is run."""
    below = getattr(command, "commands", None)
    if below is None:
        with _files_that_need_not_exist(command):
            try:
                command.make_context(command.name, words)
            except typer.TyperException as error:
                return error.format_message()
        return ""
    if not words:
        return ""
    if words[0] in below:
        return _refusal(words[1:], below[words[0]])
    options = {name for one in command.params for name in one.opts}
    return "" if set(words) <= options else f"no such command or option: {words[0]}"


def _is_of_files(annotation: Any) -> bool:
    """Say whether a parameter is a file, or some."""
    return annotation is Path or any(map(_is_of_files, get_args(annotation)))


@contextmanager
def _files_that_need_not_exist(command: Any) -> Iterator[None]:
    named = [one.type_descriptor for one in command.params if _is_of_files(one.type_descriptor.annotation)]
    infos = [one.parameter_info for one in named]
    before = [info.exists for info in infos]
    for info in infos:
        info.exists = False
    try:
        yield
    finally:
        for info, exists in zip(infos, before, strict=True):
            info.exists = exists


def broken_links(documents: Iterable[Path]) -> list[str]:
    """Return the links to files or headings that are not there."""
    return [
        f"{document.name}: {link}"
        for document in documents
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if "://" not in link and not link.startswith("mailto:") and not _leads_somewhere(document, link)
    ]


def _leads_somewhere(document: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = document.parent / path if path else document
    if not heading or target.suffix != ".md":
        return target.exists()
    return target.is_file() and heading in {_anchor(title) for title in HEADING.findall(target.read_text())}


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def problems_of_record(record: Path) -> list[str]:
    """Return what keeps a decision record from being one: its title, its headings, its length."""
    lines = record.read_text(encoding="utf-8").splitlines()
    number = record.name.partition("-")[0]
    problems = [] if lines[0].startswith(f"# {number}. ") else [f"{record.name}: the title must start `# {number}. `"]
    if [line.removeprefix("## ") for line in lines if line.startswith("## ")] != HEADINGS:
        problems.append(f"{record.name}: the headings must be {', '.join(HEADINGS)}")
    if len(lines) > RECORD_LINES:
        problems.append(f"{record.name}: {len(lines)} lines, at most {RECORD_LINES}: one screen")
    return problems


def missing_files(markdown: Iterable[Path], root: Path) -> list[str]:
    """Return the files of ours that documents name in code and that are not there."""
    return [
        f"{path.name}: {named}"
        for path in markdown
        for named in re.findall(
            r"`((?:activities|bench|commands|docs|migrations|models|sandbox|tests|workflows)/[\w/.-]+)`",
            path.read_text(encoding="utf-8"),
        )
        if not (root / named).exists()
    ]


def unknown_mentions(root: Path, texts: Iterable[Path]) -> list[str]:
    """Return a line for each file, and each name of the database, that code mentions and that is not there."""
    scripts = (path.read_text(encoding="utf-8") for path in (root / "migrations").rglob("*.sql"))
    used = set(OF_DATABASE.findall("\n".join(re.sub(r"--[^\n]*", "", script) for script in scripts)))
    return [
        f"{path.relative_to(root)}:{number}: {mentioned}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for mentioned in (
            *(name for name in MENTIONED_FILE.findall(line) if not (root / name).exists()),
            *(name for comment in MENTIONING.findall(line) for name in set(OF_DATABASE.findall(comment)) - used),
        )
    ]


def unlisted_records(index: Path) -> list[str]:
    """Return the entries that an index of decision records lacks: number, address and title of each."""
    text = index.read_text(encoding="utf-8")
    return [
        entry
        for record in sorted(index.parent.glob("0*.md"))
        if (entry := f"- [{record.name[:4]}]({record.name}) {_title_of(record)}") not in text.splitlines()
    ]


def files_that_moved(index: Path, root: Path) -> list[str]:
    """Return the files that records name, that are gone, and for which the index names none that is there."""
    moved = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", index.read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        path
        for record in index.parent.glob("0*.md")
        for path in re.findall(
            r"`((?:activities|bench|migrations|models|sandbox|tests|workflows)/[\w/.]+)`", record.read_text()
        )
    }
    return [
        path
        for path in sorted(named)
        if not (root / path).exists()
        and not all((root / now).exists() for now in re.findall(r"`([^`]+)`", moved.get(path, "`?`")))
    ]


def unfound_answers(architecture: str, root: Path) -> list[str]:
    """Return the questions whose own words do not stand at the head of the file that is named first."""
    return [
        f"{path}: its head does not say {words}"
        for question, path in re.findall(r"^\| ((?:what|where) [^|]+?) \| `([^`]+)`", architecture, re.MULTILINE)
        for words in _ASKED.findall(question)
        if words not in " ".join(re.split(r"[\s\-]+", (root / path).read_text(encoding="utf-8")[:HEAD_CHARACTERS]))
    ]


def _title_of(record: Path) -> str:
    return record.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]


def local_traces(texts: Iterable[Path]) -> list[str]:
    """Return the lines that name a path of one machine or the host of a registry."""
    return [
        f"{path.name}:{number}: {line.strip()[:120]}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if OF_A_MACHINE.search(line) or OF_A_REGISTRY.search(line)
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(setting_rows()) + "\n")
