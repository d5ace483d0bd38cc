"""Arguments and options that several commands share."""

from datetime import date, datetime
from typing import Annotated

import typer

from models.period import InvalidPeriodError, Period, receivable_name


def period_of(text: str) -> str:
    """Check a period on the command line."""
    try:
        return str(Period.parse(text))
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error).removeprefix("period: ")) from error


def receivable_of(text: str) -> str:
    """Check the name of a receivable on the command line."""
    try:
        return receivable_name(text)
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error).removeprefix("period: ")) from error


def date_of(moment: datetime | None) -> date | None:
    """Return the day of an option, which comes as midnight."""
    return moment.date() if moment else None


# An answer takes less than a second unless the gateway is asked, which has a minute of tries.
ANSWER_SECONDS = 60.0

Json = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of tables.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the run to its certificate, with a progress bar.")]
WaitSeconds = Annotated[
    float, typer.Option("--wait-seconds", min=0.1, help="Stop waiting after so long; what was asked for goes on.")
]
FollowSeconds = Annotated[
    float | None,
    typer.Option(
        "--wait-seconds", min=0.1, help="Stop waiting after so long, else when its workers are away. The run goes on."
    ),
]
NotDueYet = Annotated[bool, typer.Option("--not-due-yet", help="Run it although it is not due yet.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")]
After = Annotated[str, typer.Option("--after", help="Continue behind this id: the `next` of the page before.")]
DefinitionId = Annotated[str, typer.Argument(metavar="DEFINITION", help="Id of a run definition.")]
PeriodText = Annotated[str, typer.Argument(metavar="PERIOD", parser=period_of, help="A month, such as 2026-11.")]
ReceivableName = Annotated[
    str,
    typer.Argument(
        metavar="RECEIVABLE", parser=receivable_of, help="A month, such as 2026-11, or a month with a suffix."
    ),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, such as run/monthly/2026-11.")]
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of an account.")]
Actor = Annotated[str, typer.Option("--actor", help="Who does it; else the login name.")]
