"""docs/reports.md says of each report what it is, and the definition in it is one."""

import re
import tomllib

from activities.reports.schedule_document import ReportScheduleDocument
from models.reports.definition import definition_of
from tests.reports.document import DOCUMENT, with_tables

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_the_document_has_every_report_and_source_as_they_are() -> None:
    assert with_tables(TEXT) == TEXT, "write it with `python -m tests.reports.document`"


def test_the_definitions_in_the_document_are_some() -> None:
    own, by_calendar = map(tomllib.loads, re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))

    assert definition_of(own).source.name == "lines"
    assert ReportScheduleDocument.model_validate(by_calendar).narrowed().id == "vat"
