"""The reports that every installation has."""

from collections.abc import Mapping
from types import MappingProxyType

from models.problem import refusal
from models.reports.definition import ReportDefinition, definition_of
from models.reports.gateway_reports import DEBIT_REPORTS, GATEWAY_REPORTS, RECURRING_REPORTS
from models.reports.ledger_reports import LEDGER_REPORTS, PREPAID_REPORTS

# What auditors get, whole (`reports audit`).
AUDIT: tuple[ReportDefinition, ...] = tuple(
    definition_of({"id": id, "title": title, "source": source})
    for id, title, source in (
        ("transactions", "Every posted transaction", "documents"),
        ("lines", "Every line", "lines"),
        ("transfers", "Every transfer", "transfers"),
        ("seals", "Every seal", "seals"),
    )
)

BUILT_IN: Mapping[str, ReportDefinition] = MappingProxyType(
    {
        str(one["id"]): definition_of(one)
        for one in (*LEDGER_REPORTS, *PREPAID_REPORTS, *GATEWAY_REPORTS, *DEBIT_REPORTS, *RECURRING_REPORTS)
    },
)


def built_in(id: str) -> ReportDefinition:
    """Return a report by its id. Raises RefusedError where there is none."""
    if id not in BUILT_IN:
        raise refusal("report", "report_known", f"{id!r} is none of {', '.join(BUILT_IN)}")
    return BUILT_IN[id]
