"""Pages that lead through something: their blocks in order, as steps that a test carries out.

A block begins with three backticks, and then:

- `console`: commands that end, each on a line that begins with `$ `, and below it what it writes;
- `console terminal`: a command that goes on in a terminal of its own, and the lines that it writes when it is ready;
- a language and a name: a file of that name, to be written as it stands.

A command goes on in the next line when its line ends in a backslash. A line `…` stands for lines that are left out.
There are no other blocks: what stands as code is carried out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

PROMPT, LEFT_OUT = "$ ", "…"
_FENCE = re.compile(r"^```(.*)$")
_INDENTED = re.compile(r"^(?: {4}|\t)\S")


class PageError(ValueError):
    """A page has a block that nobody can carry out; says where."""


@dataclass(frozen=True)
class Step:
    """A command with what it writes, at its line of the page."""

    line: int
    command: str
    output: tuple[str, ...]
    goes_on: bool = False


@dataclass(frozen=True)
class WrittenFile:
    """A file that the reader writes."""

    line: int
    name: str
    text: str


Part = Step | WrittenFile


@dataclass(frozen=True)
class _Block:
    line: int
    language: str
    name: str
    lines: tuple[str, ...]


def parts_of(text: str) -> list[Part]:
    """Return what a page lets its reader do, in order. PageError names the line of a block that is none of ours."""
    return [part for block in _blocks(text) for part in _parts(block)]


def rewritten(text: str, steps: Iterable[Step]) -> str:
    """Return the page with the output of its steps replaced by theirs, in the same order."""
    written: list[str] = []
    following = iter(steps)
    is_console = is_command = False
    for line in text.splitlines():
        if fence := _FENCE.match(line):
            while is_console and not written[-1].strip():
                written.pop()
            is_console = not is_console and fence[1].split()[:1] == ["console"]
        is_prompt = is_console and line.startswith(PROMPT)
        if fence or not is_console or is_prompt or is_command:
            written.append(line)
        if is_prompt or is_command:
            is_command = line.endswith("\\")
            if not is_command:
                written += next(following).output
    return "\n".join(written) + "\n"


def _blocks(text: str) -> Iterator[_Block]:
    opened: _Block | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            language, _, name = fence[1].partition(" ")
            opened = _Block(number, language, name, ())
        elif opened and fence:
            yield opened
            opened = None
        elif opened:
            opened = replace(opened, lines=(*opened.lines, line))
        elif _INDENTED.match(line):
            raise PageError(f"line {number}: an indented block is carried out by nobody: use a block of `console`")
    if opened:
        raise PageError(f"line {opened.line}: the block has no end")


def _parts(block: _Block) -> Iterator[Part]:
    if block.language == "console" and block.name in ("", "terminal"):
        yield from _steps(block, goes_on=block.name == "terminal")
    elif block.language and block.name:
        yield WrittenFile(block.line, block.name, "".join(f"{line}\n" for line in block.lines))
    else:
        raise PageError(f"line {block.line}: a block is `console`, `console terminal`, or a file with its name")


def _steps(block: _Block, *, goes_on: bool) -> Iterator[Step]:
    step: Step | None = None
    is_command = False
    for number, line in enumerate(block.lines, start=block.line + 1):
        if line.startswith(PROMPT):
            if step:
                yield step
            step = Step(number, line.removeprefix(PROMPT), (), goes_on)
        elif step is None:
            raise PageError(f"line {number}: output before the first command")
        elif is_command:
            step = replace(step, command=f"{step.command}\n{line}")
        else:
            step = replace(step, output=(*step.output, line))
        is_command = step.command.endswith("\\") and not step.output
    if step is None:
        raise PageError(f"line {block.line}: a block without a command")
    yield step
