"""Listing reports and showing their definitions."""

from pathlib import Path

from activities.documents import read_content
from commands.lists.paging import answer_all
from commands.output import Output, table
from models.problem import refusal
from models.reports.builtin import BUILT_IN, built_in
from models.reports.definition import ReportDefinition, definition_of


def definition_by(report: str, file: Path | None) -> ReportDefinition:
    """Return the report that is meant: by its id, or by its document. Raises RefusedError for both or neither."""
    if bool(report) == (file is not None):
        raise refusal("report", "one_report", "give the id of a report, or --file")
    return definition_of(read_content(file)) if file else built_in(report)


async def list_all(output: Output) -> None:
    """List the reports."""
    documents = [
        {
            "id": one.id,
            "title": one.title,
            "source": one.source.name,
            "period": one.as_document()["period"],
            "shows": list(one.columns or (*one.keys, *one.measures)),
        }
        for one in BUILT_IN.values()
    ]
    rows = [(one["id"], one["title"], one["source"], one["period"]) for one in documents]
    answer_all(output, "reports", documents, table("", "Report", "What", "Of", "Period", rows=rows))


async def show(output: Output, report: str, file: Path | None) -> None:
    """Show a definition as a document, and what its source has."""
    definition = definition_by(report, file)
    source = definition.source
    known = [(name, kind.value) for name, kind in source.columns.items()]
    measured = [(name, " + ".join(one.of), " + ".join(one.over)) for name, one in source.measures.items()]
    fields = [(name, str(value)) for name, value in definition.as_document().items()]
    output.answer(
        definition.as_document(),
        table(definition.title, "Field", "Value", rows=fields),
        table(f"Columns of {source.name}: {source.about}", "Column", "ColumnKind", rows=known),
        table("Measures", "Measure", "Sum of", "Divided by", rows=measured),
    )
