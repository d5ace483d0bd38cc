"""Runs commands in tests."""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
import typer
from typer.testing import CliRunner

from starter import app


@dataclass(frozen=True)
class CommandResult:
    """What a command wrote, and how it ended; `shown` is all of it in the order in which a terminal shows it."""

    exit_code: int
    stdout: str
    stderr: str
    shown: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.stdout)

    @property
    def error(self) -> Any:
        """The JSON object on standard error."""
        return json.loads(self.stderr)["error"]

    @property
    def rules(self) -> list[tuple[str, str]]:
        """Field and rule of every problem of a JSON error."""
        return [(problem["field"], problem["rule"]) for problem in self.error["problems"]]


@dataclass(frozen=True)
class CommandLine:
    """Runs `duly` in this process, under an environment."""

    environment: Mapping[str, str] = field(repr=False)

    async def __call__(self, *words: str, **changed: str | None) -> CommandResult:
        """Run a command; settings in `changed` replace those of the test, None takes one away."""
        return await asyncio.to_thread(self._run, words, {**self.environment, **changed})

    async def typed(self, text: str, *words: str) -> CommandResult:
        """Run a command that reads a text from its standard input."""
        return await asyncio.to_thread(self._run, words, self.environment, text)

    async def json(self, *words: str) -> Any:
        """Run a command that must end well, and return its document."""
        result = await self(*words, "--json")
        assert result.exit_code == 0, result.stderr or result.stdout
        return result.document

    def _run(self, words: tuple[str, ...], environment: Mapping[str, str | None], typed: str = "") -> CommandResult:
        if not structlog.is_configured():
            # As long as nobody says so, workers in this process write lines to what is then the command's output.
            structlog.configure(
                processors=[structlog.stdlib.render_to_log_kwargs],
                logger_factory=structlog.stdlib.LoggerFactory(),
                wrapper_class=structlog.stdlib.BoundLogger,
            )
        # A command sends the logs to its own standard error, which ends with it.
        root, loops = logging.getLogger(), logging.getLogger("asyncio")
        handlers, level = list(root.handlers), root.level
        own = threading.get_ident()

        def is_own(record: logging.LogRecord) -> bool:
            # Servers of the test's own have a loop in this process too.
            return record.thread == own

        loops.addFilter(is_own)
        try:
            with CliRunner().isolation(typed, env={"COLUMNS": "100", **environment}) as (output, errors, both):
                exit_code = _exit_code(words)
                sys.stdout.flush()
                sys.stderr.flush()
                written = [stream.getvalue().decode() for stream in (output, errors, both)]
            return CommandResult(exit_code, *written)
        finally:
            loops.removeFilter(is_own)
            root.handlers[:] = handlers
            root.setLevel(level)


# To build the tree of all commands takes longer than most commands do.
_COMMAND = typer.main.get_command(app)


def _exit_code(words: tuple[str, ...]) -> int:
    with pytest.raises(SystemExit) as ended:
        _COMMAND.main(args=list(words), prog_name="duly")
    return int(ended.value.code or 0)
