"""The console as a process beside the embedded stack."""

from dataclasses import replace

import httpx
import pytest

from models.console.roles import ConsoleRole
from sandbox.console import running_console
from sandbox.stack import running_stack
from tests.console.conftest import OURS
from tests.support.command_line import CommandLine


async def test_whoever_looks_around_signs_in_as_any_role(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**cli.environment, "DULY_SMTP_URL": "smtp://127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    statuses = []

    async with running_stack() as stack:
        of_ours = replace(stack, started={"DULY_DATABASE_URL": stack.settings.database_url})
        async with (
            running_console(of_ours) as served,
            httpx.AsyncClient(base_url=served.url, trust_env=False) as client,
        ):
            for role in ConsoleRole:
                form = {"user": role.value, "password": served.password, "to": "/"}
                signed_in = await client.post("/sign-in", data=form, headers=OURS)
                statuses.append((signed_in.status_code, (await client.get("/")).status_code))

    assert statuses == [(303, 200)] * len(ConsoleRole)
    assert served.password in served.describe()
