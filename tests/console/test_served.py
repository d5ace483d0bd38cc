"""The console and the portal as processes beside the embedded stack."""

from dataclasses import replace

import httpx
import pytest

from models.console.roles import ConsoleRole
from sandbox.console import running_console
from sandbox.portal import running_portal, with_portal
from sandbox.stack import running_stack
from tests.console.conftest import OURS
from tests.support.command_line import CommandLine


@pytest.mark.nightly
async def test_whoever_looks_around_signs_in_as_any_role(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**cli.environment, "DULY_SMTP_URL": "smtp://127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    statuses = []

    async with running_stack() as stack:
        of_ours = with_portal(replace(stack, started={"DULY_DATABASE_URL": stack.settings.database_url}))
        async with (
            running_console(of_ours) as served,
            running_portal(of_ours),
            httpx.AsyncClient(base_url=served.url, trust_env=False) as client,
        ):
            for role in ConsoleRole:
                form = {"user": role.value, "password": served.password, "to": "/"}
                signed_in = await client.post("/sign-in", data=form, headers=OURS)
                statuses.append((signed_in.status_code, (await client.get("/")).status_code))
            portal = await client.get(f"{of_ours.settings.portal_url}/sign-in")

    assert statuses == [(303, 200)] * len(ConsoleRole)
    assert served.password in served.describe()
    assert (portal.status_code, of_ours.started["DULY_PORTAL_URL"]) == (200, of_ours.settings.portal_url)
