"""A page carried out: each file written, each command run, each answer compared."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.walkthrough.page import Part, Step, WrittenFile
from tests.walkthrough.servers import bare_servers
from tests.walkthrough.shell import Ran, Shell, shell_in
from tests.walkthrough.varying import Bindings

# Workers and events go on beside the page: what has just been set going is shown a moment later.
SHOWING = frozenset({"balance", "doctor", "list", "show", "statement"})
SHOWN_WITHIN_SECONDS, SETTLED_WITHIN_SECONDS, AGAIN_AFTER_SECONDS = 30.0, 3.0, 0.3


@asynccontextmanager
async def reader(folder: Path, *, in_process: bool) -> AsyncIterator[Shell]:
    """Lend the shell of somebody who has the servers that the page asks for."""
    async with bare_servers(folder) as servers:
        home = folder / "project"
        home.mkdir()
        async with shell_in(
            home, servers.places, programs=[servers.programs], in_process=in_process, PGPASSWORD=servers.password
        ) as shell:
            yield shell


async def first_difference(shell: Shell, parts: Sequence[Part]) -> str:
    """Carry out a page and say where it first differs from what happens; "" when it does not."""
    bindings = Bindings()
    for part in parts:
        if isinstance(part, WrittenFile):
            shell.write(part.name, bindings.replaced(part.text))
            continue
        ran = await _run(shell, part, bindings, SHOWN_WITHIN_SECONDS)
        found = [f"+ exit code {ran.code}"] if ran.code else bindings.differences(part.output, ran.lines)
        if found:
            return "\n".join([f"line {part.line}: {part.command}", *found, "It wrote:", *ran.lines])
    return ""


async def recorded(shell: Shell, parts: Sequence[Part]) -> list[Step]:
    """Carry out a page and return its steps with what each writes now; where the page still fits it stays as it is."""
    bindings, steps = Bindings(), []
    for part in parts:
        if isinstance(part, WrittenFile):
            shell.write(part.name, bindings.replaced(part.text))
            continue
        ran = await _run(shell, part, bindings, SETTLED_WITHIN_SECONDS)
        end = (f"exit code {ran.code}",) if ran.code else ()
        differs = bindings.differences(part.output, ran.lines)
        steps.append(replace(part, output=(*bindings.of_the_page(ran.lines), *end)) if differs or end else part)
    return steps


async def _run(shell: Shell, step: Step, bindings: Bindings, within_seconds: float) -> Ran:
    """Run a step once; what only shows is asked again for a while, until it shows what the page does."""
    command = bindings.replaced(step.command)

    def fits(lines: Sequence[str]) -> bool:
        return not Bindings(dict(bindings.found)).differences(step.output, lines)

    if step.goes_on:
        return await shell.start(command, lambda lines: bool(step.output) and fits(lines))
    deadline = time.monotonic() + within_seconds
    ran = await shell.run(command)
    while _only_shows(command) and not fits(ran.lines) and time.monotonic() < deadline:
        await asyncio.sleep(AGAIN_AFTER_SECONDS)
        ran = await shell.run(command)
    return ran


def _only_shows(command: str) -> bool:
    words = command.split()
    return words[0] == "duly" and not SHOWING.isdisjoint(words[1:3])
