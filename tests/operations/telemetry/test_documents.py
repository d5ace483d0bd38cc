"""The documents say what is shown."""

from models.operations.event_names import EventName
from tests.house.source import ROOT
from tests.operations.telemetry.metrics_table import HEAD, rows

OPERATIONS = ROOT / "docs" / "operations.md"


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    assert "\n".join((*HEAD, *rows())) in OPERATIONS.read_text()


def test_the_documents_name_every_event() -> None:
    section = OPERATIONS.read_text().split("### Log lines")[1].split("\n## ")[0]

    assert [name for name in EventName if f"`{name}`" not in section] == []
