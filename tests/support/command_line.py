"""Runs commands in tests."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner

from starter import app


@dataclass(frozen=True)
class CommandResult:
    """What a command wrote, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

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
    """Runs `starter.py` in this process, under an environment."""

    environment: Mapping[str, str] = field(repr=False)

    async def __call__(self, *words: str, **changed: str | None) -> CommandResult:
        """Run a command; settings in `changed` replace those of the test, None takes one away."""
        return await asyncio.to_thread(self._run, words, {**self.environment, **changed})

    async def json(self, *words: str) -> Any:
        """Run a command that must end well, and return its document."""
        result = await self(*words, "--json")
        assert result.exit_code == 0, result.stderr or result.stdout
        return result.document

    def _run(self, words: tuple[str, ...], environment: Mapping[str, str | None]) -> CommandResult:
        # A command sends the logs to its own standard error, which ends with it.
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        try:
            result = CliRunner().invoke(app, words, env={**environment, "COLUMNS": "100"}, catch_exceptions=False)
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
        return CommandResult(result.exit_code, result.stdout, result.stderr)
