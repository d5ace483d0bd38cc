"""Showing what was changed from the command line."""

from activities.supervision.commands import CommandRecords
from commands.formatting import moment
from commands.lists.paging import answer_list
from commands.output import Output
from commands.session import read_settings, reading_database_of
from models.listing import ListPage


async def list_page(output: Output, page: ListPage, *, actor: str, name: str, state: str) -> None:
    """List a page of commands, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await CommandRecords(database).page(page, actor=actor, name=name, outcome=state)
    columns = {
        "At": lambda row: moment(row.given_at),
        "Command": lambda row: f"{row.name} {row.subject}".strip(),
        "By": lambda row: row.actor,
        "Why": lambda row: row.reason,
        "Outcome": lambda row: row.outcome,
        "Id>": lambda row: row.id,
    }
    await answer_list(output, settings, "commands", listed, columns)
