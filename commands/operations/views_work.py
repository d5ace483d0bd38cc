"""Printing the views of operators."""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from commands.formatting import moment
from commands.operations.saved_views import VIEWS, filled_in, link_of, query_of
from commands.output import Output, table
from commands.session import read_settings
from models.operator_command import CommandError
from models.problem import refusal

_PAGE = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape()).get_template(
    "views.html"
)


async def show(output: Output, run: str, account: str, page: Path | None = None) -> None:
    """Print the views that can be filled in, and write a page of them. Raises RefusedError for what cannot be done."""
    settings = read_settings()
    if page and not settings.temporal_ui_url:
        raise refusal("page", "ui_is_known", "set DULY_TEMPORAL_UI_URL, to which the links lead")
    now = datetime.now(UTC)
    try:
        values = filled_in(now, run=run, account=account)
    except CommandError as error:
        field, _, problem = str(error).partition(": ")
        raise refusal(field, "id_in_a_query", problem) from error
    ready = [(view, query_of(view, values)) for view in VIEWS if view.wants <= values.keys()]
    ui_url, namespace = settings.temporal_ui_url, settings.temporal_namespace
    links = [link_of(view, query, ui_url=ui_url, namespace=namespace) if ui_url else "" for view, query in ready]
    views = [
        {"name": view.name, "meaning": view.meaning, "query": query, "link": link}
        for (view, query), link in zip(ready, links, strict=True)
    ]
    if page:
        write_page(page, _PAGE.render(namespace=namespace, printed_at=moment(now), views=views))
    output.answer(
        {"views": views},
        table("", "View", "Shows", rows=[(view.name, view.meaning) for view, _ in ready]),
        *(f"{view.name}\n  {link or query}\n" for (view, query), link in zip(ready, links, strict=True)),
    )


def write_page(page: Path, text: str) -> None:
    """Write a page to a file. Raises RefusedError where there can be no such file."""
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise refusal("page", "file_can_be_written", f"{page}: {error.strerror}") from error
