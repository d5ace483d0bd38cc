"""`reports`: what the books say, by definitions."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, AsCsv, Json, day_of, period_of
from commands.reports.schedule_cli import app as schedule_app
from commands.runner import perform

app = typer.Typer(help="Reports: built-in ones and your own, tied to the ledger's balances.", no_args_is_help=True)
app.add_typer(schedule_app, name="schedule")

DefinitionFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        exists=True,
        dir_okay=False,
        readable=True,
        help="A definition of your own, TOML or JSON, in the place of REPORT.",
    ),
]
First = Annotated[
    date | None, typer.Option("--from", parser=day_of, metavar="DAY", help="First day; else the definition's period.")
]
Last = Annotated[
    date | None,
    typer.Option("--to", parser=day_of, metavar="DAY", help="Last day; a report of one day is as of its end."),
]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", help="Only where a column is so: region=DE, or one of several: region=DE,AT. Again: and."),
]
Target = Annotated[
    Path | None,
    typer.Option("--output", help="Write it to this file: .csv, .json, .xlsx, .html or .pdf, as its name ends."),
]


@app.command("list")
def list_reports(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List the reports: what each is made of, and over which days."""
    from commands.reports.showing import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)


@app.command("show")
def show_report(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="Id of a report.")] = "",
    file: DefinitionFile = None,
    as_json: Json = False,
) -> None:
    """Show a report's definition, and what may be shown, filtered and grouped by of its source.

    With --json it is the document to begin with for one of your own: change it, and run it with --file.
    """
    from commands.reports.showing import show

    perform(lambda output: show(output, report, file), as_json=as_json)


@app.command("run")
def run_report(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="Id of a report.")] = "",
    *,
    file: DefinitionFile = None,
    first: First = None,
    last: Last = None,
    filters: Filters = None,
    target: Target = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """Run a report, and hold it against the ledger: it ends with 1 where the two differ.

    Days are those of posting. Amounts are never added over currencies. All of it is read in one state of the books.
    """
    from commands.reports.running import ReportOrder, run

    order = ReportOrder(report, file, first, last, tuple(filters or ()), target)
    perform(lambda output: run(output, order), as_json=as_json, as_csv=as_csv)


@app.command("update")
@changes()
def update_reports(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the months.")] = "",
    *,
    since: Annotated[
        str | None,
        typer.Option("--from", parser=period_of, metavar="MONTH", help="Compute this month and those after it anew."),
    ] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Compute the recurring revenue of the months that are over, and keep it: once a month is enough.

    A month that is kept stays as it was. With --from it is computed again, and what differs is kept beside it as a
    correction.
    """
    from commands.changing.changes import person_of
    from commands.reports.updating import update

    perform(lambda output: update(output, since, actor=person_of(actor), reason=reason), as_json=as_json)


@app.command("audit")
def export_for_auditors(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write: a new or empty folder.")],
    *,
    first: Annotated[
        date | None, typer.Option("--from", parser=day_of, metavar="DAY", help="First day; else from the beginning.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=day_of, metavar="DAY", help="Last day; else to the newest posting.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write every posted transaction with its lines and transfers, and the seals, as CSV with a list of hashes.

    All of it is read in one state of the books. Over all days the seals can be worked out from the transfers.
    """
    from commands.reports.auditing import export

    perform(lambda output: export(output, folder, first, last), as_json=as_json)
