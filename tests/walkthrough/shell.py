"""The terminals of a page's reader: a shell in the project's folder, and processes that go on beside it."""

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, chdir
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.servers.processes import Child, Command
from tests.house.source import ROOT
from tests.support.command_line import CommandLine

START_SECONDS = 60.0
COLUMNS = "132"
READER = "maria"
_OF_THE_SHELL = frozenset("|&;<>$`()*?~\n")
_LAST = "\nended=$?\nenv -0 >&3\nexit $ended"


@dataclass(frozen=True)
class Ran:
    """How a command ended, and the lines that it wrote, errors among them."""

    code: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """The addresses of the page, and where this run has the same."""

    here: Mapping[str, str]

    def to_here(self, text: str) -> str:
        """Return a text of the page's with the addresses of this run."""
        for page, here in self.here.items():
            text = text.replace(page, here)
        return text

    def to_page(self, text: str) -> str:
        """Return what was written here with the page's addresses."""
        for page, here in self.here.items():
            text = text.replace(here, page)
        return text


@dataclass
class Shell:
    """A shell whose folder is the project's, as far as a reader can see, and whose environment outlasts each command.

    `duly` alone, without anything that only a shell understands, runs in this process unless `in_process` is off:
    the same command line, without two seconds of start.
    """

    folder: Path
    places: Places
    environment: dict[str, str] = field(repr=False)
    in_process: bool = True
    _going_on: list[Child] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Write a file of the reader's. FileExistsError when the project has one of this name."""
        if (self.folder / name).is_symlink():
            raise FileExistsError(name)
        (self.folder / name).write_text(self.places.to_here(text), encoding="utf-8")

    async def run(self, command: str) -> Ran:
        """Run a command to its end."""
        typed = self.places.to_here(command)
        is_plain = typed.startswith("duly ") and not _OF_THE_SHELL & set(typed.replace("\\\n", ""))
        if is_plain and self.in_process:
            code, text = await self._duly(typed)
        else:
            code, text = await asyncio.to_thread(self._bash, typed)
        return Ran(code, self._lines(text))

    async def start(self, command: str, is_ready: Callable[[Sequence[str]], bool]) -> Ran:
        """Start a command that goes on, and wait until it has written that it is ready. ServiceError when it ends."""
        log = self.folder / f"terminal-{len(self._going_on)}.log"
        typed = ("bash", "-c", f"exec {self.places.to_here(command)}")
        child = Child(Command(command, typed, log, self.folder, self.environment))
        self._going_on.append(child)

        async def ready() -> bool:
            return is_ready(self._lines(log.read_text(encoding="utf-8")))

        await child.wait_until(ready, timeout_seconds=START_SECONDS)
        return Ran(0, self._lines(log.read_text(encoding="utf-8")))

    async def stop(self) -> None:
        """End what goes on, the last first."""
        while self._going_on:
            await self._going_on.pop().stop()

    def _lines(self, text: str) -> tuple[str, ...]:
        return tuple(line.rstrip() for line in self.places.to_page(text).splitlines())

    async def _duly(self, typed: str) -> tuple[int, str]:
        with chdir(self.folder):
            result = await CommandLine(self.environment)(*shlex.split(typed.replace("\\\n", ""))[1:])
        return result.exit_code, result.shown

    def _bash(self, typed: str) -> tuple[int, str]:
        """Run a line in bash, and keep what it exports for the lines that follow."""
        reading, writing = os.pipe()
        process = subprocess.Popen(
            ["bash", "-c", f"exec 3>&{writing}\n{typed}{_LAST}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as exported:
            written, _ = process.communicate()
            pairs = (each.partition("=") for each in exported.read().split("\0") if each)
            self.environment = {name: value for name, _, value in pairs} or self.environment
        return process.returncode, written.decode()


@asynccontextmanager
async def shell_in(
    folder: Path, places: Places, *, programs: Sequence[Path], in_process: bool, **environment: str
) -> AsyncIterator[Shell]:
    """Lend a shell in a folder that leads to the project's files, with `programs` on its path; end what it starts."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    bin_ = folder / "bin-of-the-reader"
    bin_.mkdir()
    command = bin_ / "duly"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "starter.py"}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    path = [str(bin_), str(Path(sys.executable).parent), os.environ["PATH"], *map(str, programs)]
    own = {
        "PATH": os.pathsep.join(path),
        "HOME": str(folder),
        "LOGNAME": READER,
        "COLUMNS": COLUMNS,
        "LC_ALL": "C.UTF-8",
    }
    shell = Shell(folder, places, {**own, **environment}, in_process)
    try:
        yield shell
    finally:
        await shell.stop()
