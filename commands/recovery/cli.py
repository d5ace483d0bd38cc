"""After a restore of the database: `duly recover`."""

from datetime import datetime
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, Json, moment_of
from commands.runner import perform

app = typer.Typer(help="After the database was restored: read what the gateway did since, then send again.")

Reason = Annotated[str, typer.Option("--reason", help="Why; kept with who did it.")]


@app.command("show")
def show(as_json: Json = False) -> None:
    """Show whether sending is held, what was found, and the next step."""
    from commands.recovery.recover import show

    perform(show, as_json=as_json)


@app.command("declare")
@changes(final="Every workflow that runs is ended, and goes on from its row after the release.")
def declare(
    reason: Reason,
    moment: Annotated[
        datetime | None,
        typer.Option(
            "--moment",
            parser=moment_of,
            metavar="MOMENT",
            help="Since when the database has forgotten (UTC); else its last beat.",
        ),
    ] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Say that the database was restored, and since when it has forgotten."""
    from commands.recovery.recover import declare

    perform(lambda output: declare(output, moment, actor, reason), as_json=as_json)


@app.command("dismiss")
@changes(final="Everything goes on as if the database had forgotten nothing.")
def dismiss(reason: Reason, actor: Actor = "", as_json: Json = False) -> None:
    """Say that nothing was forgotten: the database was changed over to a standby that had everything."""
    from commands.recovery.recover import dismiss

    perform(lambda output: dismiss(output, actor, reason), as_json=as_json)


@app.command("read")
@changes()
def read(as_json: Json = False) -> None:
    """Read what the gateway did since, and write down what is missing. Sends nothing but the closing of pages."""
    from commands.recovery.recover import read

    perform(read, as_json=as_json)


@app.command("release")
@changes(final="Everything goes on, and sends again.")
def release(
    reason: Reason,
    acknowledge: Annotated[bool, typer.Option("--acknowledge", help="What is left was seen to by a person.")] = False,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Let sending go on. Refused until a second read has found nothing new."""
    from commands.recovery.recover import release

    perform(lambda output: release(output, actor, reason, is_acknowledged=acknowledge), as_json=as_json)


@app.command("adopt")
@changes()
def adopt(actor: Actor = "", as_json: Json = False) -> None:
    """Write down what was left for a person, where its account or payment exists by now."""
    from commands.recovery.recover import adopt

    perform(lambda output: adopt(output, actor), as_json=as_json)


@app.command("settle")
@changes(final="What the database has forgotten there is never looked for again.")
def settle(
    object_id: Annotated[str, typer.Argument(metavar="OBJECT", help="The gateway's id, as `recover show` has it.")],
    reason: Reason,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Say that what was left was seen to outside of Duly: its account may be charged again."""
    from commands.recovery.recover import settle

    perform(lambda output: settle(output, object_id, actor, reason), as_json=as_json)
