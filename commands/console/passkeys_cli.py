"""`users passkeys`: what an administrator sees of the passkeys of users, and removes."""

from typing import Annotated

import typer

from commands.changing.changes import Reason, changes, person_of
from commands.options import Actor, AsCsv, Json
from commands.runner import perform

app = typer.Typer(
    help="Passkeys of users: shown and removed. Users add their own in the console.", no_args_is_help=True
)


@app.command("list")
def list_passkeys(
    user: Annotated[str, typer.Argument(metavar="[USER]", help="Only of this user.")] = "",
    *,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List passkeys, the newest first, also those that were removed."""
    from commands.console.passkeys import list_all

    perform(lambda output: list_all(output, user), as_json=as_json, as_csv=as_csv)


@app.command("remove")
@changes(final="Nobody signs in by it any more; its device has to be registered anew.")
def remove_passkey(
    user: Annotated[str, typer.Argument(metavar="USER", help="Name or e-mail of a user, in small letters.")],
    passkey: Annotated[str, typer.Argument(metavar="PASSKEY", help="Id of a passkey, psk_….")],
    is_last: Annotated[
        bool, typer.Option("--last", help="Also where it is the only way in which this user can sign in.")
    ] = False,
    *,
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Remove a passkey of a user, who is signed out where a passkey had signed them in."""
    from commands.console.passkeys import remove

    del reason
    perform(lambda output: remove(output, user, passkey, is_last=is_last, actor=person_of(actor)), as_json=as_json)
