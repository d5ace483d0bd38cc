"""Users of the console: added, changed, disabled and shown."""

import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from getpass import getpass

from activities.console.approvals import UserRights
from activities.console.users import Users
from activities.database import Database
from commands.console.by_two import by_another, giver
from commands.formatting import document, moment
from commands.lists.paging import answer_all, answer_list
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from models.console.roles import PASSWORD_LENGTH_MIN, ConsoleRole
from models.listing import ListPage, heading_of
from models.operations.record_states import SIGN_IN
from models.problem import refusal

_NAME = re.compile(r"^[a-z][a-z0-9._@+-]{0,99}$")
# What a filter by a user has for whoever looks, nobody, and those who are not there any more.
_WORDS = frozenset({"me", "nobody", "away"})
GENERATED_BYTES = 15


async def add(
    output: Output,
    user: str,
    role: ConsoleRole,
    *,
    is_generated: bool,
    has_password: bool,
    merchants: Sequence[str] = (),
) -> None:
    """Add a user with a password that is asked for, read, or made; or with none, for a provider of identities."""
    if not _NAME.fullmatch(user):
        raise refusal("user", "user_is_name", "must be 1 to 100 of a-z 0-9 . _ @ + -, a letter first: a name or e-mail")
    if user in _WORDS:
        raise refusal("user", "user_is_name", f"{user} is a word of the lists' filters, and no name")
    password = _password(is_generated=is_generated) if has_password else ""
    given = UserRights(role, bool(password), "active", merchants)
    async with database_of(read_settings()) as database, _by_another(database, user, given):
        await Users(database).add(user, role, password, merchants, actor=giver().actor)
    changed: dict[str, object] = {"role": role, "state": "active", **_limit(merchants)}
    _answer(output, user, changed, password if is_generated else "")


async def change(
    output: Output,
    user: str,
    role: ConsoleRole | None,
    *,
    is_password: bool,
    is_enabled: bool,
    merchants: Sequence[str] | None = None,
) -> None:
    """Change role, password or merchants of a user, or let one who is disabled in again. Their sessions end."""
    if not (role or is_password or is_enabled or merchants is not None):
        raise refusal("user", "change_given", "give --role, --password, --merchant, --all-merchants or --enable")
    password = _password(is_generated=False) if is_password else ""
    state = "active" if is_enabled else ""
    given = UserRights(role, is_password, state, merchants)
    async with database_of(read_settings()) as database, _by_another(database, user, given):
        await Users(database).change(
            user, role=role, password=password, state=state, merchants=merchants, actor=giver().actor
        )
    changed = {name: value for name, value in (("role", role), ("enabled", is_enabled)) if value}
    _answer(output, user, changed | ({} if merchants is None else _limit(merchants or ("all",))), "")


async def disable(output: Output, user: str) -> None:
    """Let a user in no more, from now on. What they did stays under their name."""
    async with database_of(read_settings()) as database:
        await Users(database).change(user, state="disabled")
    _answer(output, user, {"state": "disabled"}, "")


async def list_all(output: Output) -> None:
    """List users by name."""
    async with reading_database_of(read_settings()) as database:
        found = await Users(database).every()
    rows = [
        (row.id, row.role, row.state, " ".join(row.merchants) or "all", moment(row.created_at), moment(row.changed_at))
        for row in found
    ]
    shown = table("", "User", "Role", "State", "Merchants", "Since", "Changed", rows=rows)
    answer_all(output, "users", [document(row) for row in found], shown)


async def sign_ins(output: Output, page: ListPage, *, user: str) -> None:
    """List attempts to sign in, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Users(database).sign_ins(page, user_id=user)
    columns = {
        "At": lambda row: moment(row.tried_at),
        "User": lambda row: row.user_id or "nobody",
        "By": lambda row: row.method,
        "Outcome": lambda row: row.outcome,
        "From": lambda row: row.address,
        "Id>": lambda row: row.id,
    }
    await answer_list(output, settings, "sign_ins", listed, columns, states=SIGN_IN)


def _by_another(database: Database, user: str, given: UserRights) -> AbstractAsyncContextManager[None]:
    return by_another(
        database,
        user,
        lambda approvals, command: approvals.ask_user(user, given, user_id=command.actor, reason=command.reason),
    )


def _limit(merchants: Sequence[str]) -> dict[str, object]:
    return {"merchants": " ".join(merchants)} if merchants else {}


def _answer(output: Output, user: str, changed: dict[str, object], password: str) -> None:
    shown = {**changed, **({"password": password} if password else {})}
    rows = [(heading_of(name), value) for name, value in shown.items()]
    output.answer({"user": user, **shown}, table("", "User", user, rows=rows))


def _password(*, is_generated: bool) -> str:
    """Return a password: made, asked for twice, or the first line of standard input. Raises RefusedError."""
    if is_generated:
        return secrets.token_urlsafe(GENERATED_BYTES)
    if sys.stdin.isatty():
        given = getpass("Password: ")
        if getpass("Again: ") != given:
            raise refusal("password", "password_is_same", "is another one the second time")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if len(given) < PASSWORD_LENGTH_MIN:
        raise refusal("password", "password_length", f"has less than {PASSWORD_LENGTH_MIN} characters")
    return given
