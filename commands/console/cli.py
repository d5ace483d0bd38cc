"""`users`: who may use the console, and as what."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.console import passkeys_cli
from commands.options import After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.console.roles import ConsoleRole

app = typer.Typer(help="Users: who may use the console, and as what.", no_args_is_help=True)
app.add_typer(passkeys_cli.app, name="passkeys")

Merchants = Annotated[
    list[str] | None,
    typer.Option("--merchant", help="Show them the customers of this merchant alone; may be given several times."),
]
User = Annotated[str, typer.Argument(metavar="USER", help="Name or e-mail of a user, in small letters.")]


@app.command("add")
@changes()
def add_user(
    user: User,
    role: Annotated[ConsoleRole, typer.Option("--role", help="What they may do; docs/console.md has the table.")],
    is_generated: Annotated[
        bool, typer.Option("--generate", help="Make a password and show it once, instead of asking for one.")
    ] = False,
    has_password: Annotated[
        bool,
        typer.Option(
            "--password/--no-password", help="Without one the provider of identities lets them in, and then a passkey."
        ),
    ] = True,
    merchants: Merchants = None,
    as_json: Json = False,
) -> None:
    """Let somebody use the console. The password is asked for, or is the first line of standard input."""
    from commands.console.users import add

    limit = merchants or ()
    perform(
        lambda output: add(output, user, role, is_generated=is_generated, has_password=has_password, merchants=limit),
        as_json=as_json,
    )


@app.command("change")
@changes()
def change_user(
    user: User,
    role: Annotated[ConsoleRole | None, typer.Option("--role", help="What they may do from now on.")] = None,
    is_password: Annotated[bool, typer.Option("--password", help="Set another password: asked for, or read.")] = False,
    is_enabled: Annotated[bool, typer.Option("--enable", help="Let somebody in again who was disabled.")] = False,
    merchants: Merchants = None,
    is_unlimited: Annotated[
        bool, typer.Option("--all-merchants", help="Show them everybody's customers again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change what somebody may do, or their password. They have to sign in again."""
    from commands.console.users import change

    limit = () if is_unlimited else merchants
    perform(
        lambda output: change(output, user, role, is_password=is_password, is_enabled=is_enabled, merchants=limit),
        as_json=as_json,
    )


@app.command("disable")
@changes()
def disable_user(user: User, as_json: Json = False) -> None:
    """Let somebody in no more, at once. What they did stays under their name."""
    from commands.console.users import disable

    perform(lambda output: disable(output, user), as_json=as_json)


@app.command("list")
def list_users(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List who may use the console."""
    from commands.console.users import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)


@app.command("history")
def list_sign_ins(
    user: Annotated[str, typer.Argument(metavar="[USER]", help="Only of this user.")] = "",
    *,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List who has signed in, and who has tried to, the newest first, a page at a time."""
    from commands.console.users import sign_ins

    page = list_page_of(after, limit, since, until)
    perform(lambda output: sign_ins(output, page, user=user), as_json=as_json, as_csv=as_csv)
