"""`portal`: the way of customers into their own pages."""

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Json
from commands.runner import perform

app = typer.Typer(help="The customers' portal: links into it, and the end of sessions.", no_args_is_help=True)


@app.command("link")
@changes()
def give_link(account: AccountId, as_json: Json = False) -> None:
    """Make a link by which an account's customer signs in, once, within half an hour. Whoever has it is let in."""
    from commands.portal.access import give_link as given

    perform(lambda output: given(output, account), as_json=as_json)


@app.command("end-sessions")
@changes()
def end_sessions(account: AccountId, as_json: Json = False) -> None:
    """Sign an account's customer out everywhere, and take back the links that are out."""
    from commands.portal.access import end_sessions as ended

    perform(lambda output: ended(output, account), as_json=as_json)
