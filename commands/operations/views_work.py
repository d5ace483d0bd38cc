"""Printing the views of operators."""

from datetime import UTC, datetime

from commands.operations.saved_views import VIEWS, filled_in, link_of, query_of
from commands.output import Output, table
from commands.session import read_settings
from models.operator_command import CommandError
from models.problem import refusal


async def show(output: Output, run: str, account: str) -> None:
    """Print the views that can be filled in. Raises RefusedError for an id that no query can carry."""
    settings = read_settings()
    try:
        values = filled_in(datetime.now(UTC), run=run, account=account)
    except CommandError as error:
        field, _, problem = str(error).partition(": ")
        raise refusal(field, "id_in_a_query", problem) from error
    ready = [(view, query_of(view, values)) for view in VIEWS if view.wants <= values.keys()]
    ui_url, namespace = settings.temporal_ui_url, settings.temporal_namespace
    links = [link_of(view, query, ui_url=ui_url, namespace=namespace) if ui_url else "" for view, query in ready]
    output.answer(
        {
            "views": [
                {"name": view.name, "meaning": view.meaning, "query": query, "link": link}
                for (view, query), link in zip(ready, links, strict=True)
            ]
        },
        table("", "View", "Shows", rows=[(view.name, view.meaning) for view, _ in ready]),
        *(f"{view.name}\n  {link or query}\n" for (view, query), link in zip(ready, links, strict=True)),
    )
