"""A report by a calendar as people write it: which report, when, as what, and to whom."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from activities.configuration.document_parts.run_document import Schedule
from activities.configuration.fields import DefinitionId
from activities.documents import DocumentPart
from models.reports.builtin import BUILT_IN, built_in
from models.reports.definition import ReportDefinition, definition_of
from models.reports.delivery import ReportFormat

RECIPIENTS_AT_MOST = 20
_ADDRESS_LENGTH = 254


def _is_address(text: str) -> str:
    fits = text.isascii() and text.isprintable() and "@" in text[1:-1] and " " not in text
    if not fits or len(text) > _ADDRESS_LENGTH:
        raise ValueError("is no e-mail address")
    return text


class ReportScheduleDocument(DocumentPart):
    """One report by a calendar. `report` names a built-in one, `definition` is one of your own; `filters` narrow it.

    The schedule has the fields of a run definition's: `day`, `weekday`, `every_days` or `on`, and a local time. Without
    `recipients` the file is kept, and fetched by whoever may.
    """

    id: DefinitionId
    report: str = ""
    definition: dict[str, Any] | None = None
    filters: dict[str, Any] = {}
    format: ReportFormat = ReportFormat.XLSX
    recipients: Annotated[
        tuple[Annotated[str, AfterValidator(_is_address)], ...], Field(max_length=RECIPIENTS_AT_MOST)
    ] = ()
    schedule: Schedule

    @model_validator(mode="after")
    def _is_one_report(self) -> Self:
        if bool(self.report) == (self.definition is not None):
            raise ValueError("report: give the id of a report, or a definition")
        if self.report and self.report not in BUILT_IN:
            raise ValueError(f"report: {self.report!r} is none of {', '.join(BUILT_IN)}")
        if len(set(self.recipients)) != len(self.recipients):
            raise ValueError("recipients: one of them is named twice")
        if self.schedule.every_minutes is not None:
            raise ValueError("schedule.every_minutes: a report is about days, and is written once a day at most")
        return self

    def narrowed(self) -> ReportDefinition:
        """Return the report with its filters. Raises RefusedError for what its source does not have."""
        known = built_in(self.report) if self.definition is None else definition_of(self.definition)
        return known.narrowed(self.filters)
