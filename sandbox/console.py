"""The console beside the stack: the same `console.py` that serves production, with a user of each role."""

import contextlib
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from activities.console.users import Users
from activities.database import Database, RuleBrokenError, create_engine
from models.console.roles import ConsoleRole
from sandbox.data_folder import write_private
from sandbox.servers.processes import Child, Command, choose_port
from sandbox.stack import Stack
from sandbox.workers import ROOT, START_SECONDS, until_it_answers
from settings import environment_name

PASSWORD_BYTES = 12
# A few people look at it, and PostgreSQL is a small one.
CONNECTIONS = "4"


@dataclass(frozen=True)
class ServedConsole:
    """A running console, where it is, and the password of its users; "" where they are the user's own."""

    child: Child
    url: str
    password: str

    def describe(self) -> str:
        """Return where it is and how to sign in, in a line."""
        if not self.password:
            return f"{self.url}, for users made by `duly users add`"
        roles = ", ".join(role for role in ConsoleRole)
        return f"{self.url}, sign in as {roles}; password {self.password}"


@contextlib.asynccontextmanager
async def running_console(stack: Stack) -> AsyncIterator[ServedConsole]:
    """Run the console on a free port and yield it once it answers; ServiceError if it does not get there."""
    url = f"http://127.0.0.1:{choose_port('Console', 0)}"
    password = await _users_of_roles(stack) if environment_name("database_url") in stack.started else ""
    argv = (sys.executable, str(ROOT / "console.py"), f"--port={urlsplit(url).port}")
    environment = {**stack.environment, "DULY_CONSOLE_URL": url, "DULY_DATABASE_POOL": CONNECTIONS}
    child = Child(Command("Console", argv, stack.folder.log("console"), ROOT, environment))

    try:
        await until_it_answers(child, url, timeout_seconds=START_SECONDS)
        yield ServedConsole(child, url, password)
    finally:
        await child.stop()


async def _users_of_roles(stack: Stack) -> str:
    """Make a user of each role, once for a kept folder, and return their password."""
    path = stack.folder.path / "console-password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(PASSWORD_BYTES))
    password = path.read_text(encoding="utf-8")
    engine = create_engine(stack.settings.database_url, pool=1)
    users = Users(Database(engine))
    try:
        for role in ConsoleRole:
            with contextlib.suppress(RuleBrokenError):
                await users.add(role.value, role, password)
    finally:
        await engine.dispose()
    return password
