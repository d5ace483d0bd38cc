"""Arguments and options that several commands share."""

from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

import typer

from models.listing import ListPage
from models.moment import YEARS, YEARS_MEANING
from models.period import InvalidPeriodError, Period, receivable_name
from models.runs.run_period import RunPeriod

Read = TypeVar("Read")


def period_of(text: str) -> str:
    """Check a period on the command line."""
    try:
        return f"{_in_years(Period.parse(text), text)}"
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error).removeprefix("period: ")) from error


def run_period_of(text: str) -> str:
    """Check the period of a payment run on the command line."""
    try:
        return _in_years(str(RunPeriod.parse(text)), text)
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error).removeprefix("period: ")) from error


def receivable_of(text: str) -> str:
    """Check the name of a receivable on the command line."""
    try:
        return _in_years(receivable_name(text), text)
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error).removeprefix("period: ")) from error


def day_of(text: str) -> date:
    """Read a day on the command line."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day lies in no time zone
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day like 2026-11-26") from error
    return _in_years(day, text)


def moment_of(text: str) -> datetime:
    """Read a moment on the command line, in UTC: a day, or a day with its time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a moment like 2026-11-26T18:30:00") from error
    _ = _in_years(moment, text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_years(value: Read, text: str) -> Read:
    """Return what was read of a text that begins with a year, if we keep books in that year."""
    if int(text[:4]) not in YEARS:
        raise typer.BadParameter(f"{text!r} is not within {YEARS_MEANING}")
    return value


def list_page(after: str, limit: int, since: date | None, until: date | None) -> ListPage:
    """Return what a list is asked for. Raises BadParameter for days in the wrong order."""
    if since and until and since > until:
        raise typer.BadParameter(f"{since} is after {until}", param_hint="--from")
    return ListPage(after, limit, since, until)


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
OverNobody = Annotated[
    bool, typer.Option("--over-nobody", help="Run it although nobody is due: that closes it all the same.")
]
OfSupplement = Annotated[bool, typer.Option("--supplement", help="Of the next supplement, not of the period's run.")]
SupplementNumber = Annotated[
    int | None, typer.Option("--number", min=1, help="Which supplement of the period; else the next one.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")]
Since = Annotated[
    date | None, typer.Option("--from", parser=day_of, metavar="DAY", help="Only of this day (UTC) or later.")
]
Until = Annotated[
    date | None, typer.Option("--to", parser=day_of, metavar="DAY", help="Only of this day (UTC) or before.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Write CSV, amounts in major units, instead of tables.")]
After = Annotated[str, typer.Option("--after", help="Continue behind this id: the `next` of the page before.")]
DefinitionId = Annotated[str, typer.Argument(metavar="DEFINITION", help="Id of a run definition.")]
RunPeriodText = Annotated[
    str,
    typer.Argument(
        metavar="PERIOD", parser=run_period_of, help="A month such as 2026-11, a week such as 2026-W48, a day."
    ),
]
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
