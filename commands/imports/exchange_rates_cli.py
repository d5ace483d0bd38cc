"""`import rates`."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, Json
from commands.runner import perform

app = typer.Typer()


@app.command("rates")
@changes()
def import_rates(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="eurofxref-daily.xml, eurofxref-hist.xml, or eurofxref.csv and eurofxref-hist.csv, also in their ZIP.",
        ),
    ],
    replaces: Annotated[
        bool, typer.Option("--replace", help="Take the file's rate where another one is kept.")
    ] = False,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Keep the daily reference rates that the European Central Bank publishes; importing a file again changes nothing.

    By them the VAT of documents in another currency is said in the seller's `tax_currency` (`definitions`), where it
    is set. The rate of a day is its own, else the last one that was published before. Documents that were posted
    before keep the rates that they were posted with. A bad row is named and left out. A currency that the bank does
    not publish comes in a CSV of the same form: `Date` and the currencies, units of each for one euro.
    """
    from commands.imports.exchange_rates import import_rates as perform_import

    perform(lambda output: perform_import(output, file, actor=actor, replaces=replaces), as_json=as_json)
