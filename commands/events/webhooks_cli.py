"""`webhooks`: which events the gateway must send, and telling it so."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AsCsv, Json
from commands.runner import perform

app = typer.Typer(help="Webhooks: which events the gateway must send us, and where to.", no_args_is_help=True)


@app.command("list")
def list_types(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List the types of events that are needed, what each is about, and what it tells."""
    from commands.events.webhooks import list_needed

    perform(list_needed, as_json=as_json, as_csv=as_csv)


@app.command("apply")
@changes()
def apply_endpoint(
    url: Annotated[
        str, typer.Option("--url", help="Address of `webhook.py`; DULY_PUBLIC_URL/webhooks/stripe unless given.")
    ] = "",
    of_merchants: Annotated[
        bool,
        typer.Option("--merchants", help="The events of merchants' own accounts, which go to an endpoint of theirs."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the gateway send exactly these events to our address; applying again changes nothing.

    When the address is new, the gateway tells its signing secret once: it is shown here and kept nowhere. Put it into
    STRIPE_WEBHOOK_SECRET, beside the old one while both are in use.
    """
    from commands.events.webhooks import apply

    perform(lambda output: apply(output, url, of_merchants=of_merchants), as_json=as_json)
