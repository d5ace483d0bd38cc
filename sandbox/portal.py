"""The customers' portal beside the stack: the same `portal.py` that serves production."""

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

from sandbox.servers.processes import Child, Command, choose_port
from sandbox.stack import Stack
from sandbox.workers import ROOT, START_SECONDS, until_it_answers

# A few people look at it, and PostgreSQL is a small one.
CONNECTIONS = "4"
HOW_IN = 'links by `duly portal link ACCOUNT --reason "..."`, or by e-mail'


def with_portal(stack: Stack) -> Stack:
    """Return the stack as processes see it whose customers are led to a portal of ours, on a port that is free."""
    url = f"http://127.0.0.1:{choose_port('Portal', 0)}"
    led = {"DULY_PORTAL_URL": url}
    return replace(
        stack,
        settings=stack.settings.model_copy(update={"portal_url": url}),
        environment={**stack.environment, **led},
        started={**stack.started, **led},
    )


@contextlib.asynccontextmanager
async def running_portal(stack: Stack) -> AsyncIterator[Child]:
    """Run the portal of a stack and yield it once it answers; ServiceError if it does not get there."""
    url = stack.settings.portal_url
    argv = (sys.executable, str(ROOT / "portal.py"), f"--port={urlsplit(url).port}")
    environment = {**stack.environment, "DULY_DATABASE_POOL": CONNECTIONS}
    child = Child(Command("Portal", argv, stack.folder.log("portal"), ROOT, environment))

    try:
        await until_it_answers(child, url, timeout_seconds=START_SECONDS)
        yield child
    finally:
        await child.stop()
