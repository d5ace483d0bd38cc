"""The charts of the first page: the dashboards of the manual (F143 to F145), recurring revenue, success and ageing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from activities.database import DatabaseUnavailableError
from activities.reports.running import run_report
from models.reports.builtin import BUILT_IN
from models.reports.columns import ColumnKind
from models.reports.definition import ReportDefinition, condition_of
from web.context import Visit
from web.reports.charts import charts_of
from web.reports.pages import PAGE_SECONDS, PageReport

_BY_PRODUCT, _AGEING = "revenue-by-product", "ageing"
# Which charts of which report; "" is what the report is read for.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "monthly-revenue": ("",),
    "monthly-receipts": ("",),
    _BY_PRODUCT: ("",),
    "mrr": ("mrr", "movements"),
    "success-by-month": ("success_rate", "outcomes"),
    _AGEING: ("buckets",),
}
HOME_CHARTS = tuple((id, BUILT_IN[id].title) for id in _SHOWN)
# The first page is opened all day, and reads years of the ledger for these.
KEPT_FOR = timedelta(minutes=1)


@dataclass(frozen=True)
class KeptFigures:
    """What a report said a moment ago."""

    shown: PageReport
    at: datetime


async def home_chart(visit: Visit) -> Response:
    """Show a chart of the first page, as a part of it. Raises HTTPException: there is none of this name."""
    id = visit.request.path_params["id"]
    if id not in _SHOWN:
        raise HTTPException(404)
    definition = _chosen(visit, id)
    async with visit.web.reports.of(visit.user.id):
        kept = visit.web.figures.get(id)
        now = datetime.now(UTC)
        if kept is None or now - kept.at > KEPT_FOR:
            kept, shown = None, PageReport()
            with suppress(DatabaseUnavailableError):
                await run_report(
                    visit.web.reading, definition, shown, today=now.date(), at=now, timeout_seconds=PAGE_SECONDS
                )
                kept = visit.web.figures[id] = KeptFigures(shown, now)
    head, foot = (kept.shown.head, kept.shown.foot) if kept else (None, None)
    charts = (
        [one for name in _SHOWN[id] for one in charts_of(head, kept.shown.groups, foot.totals, name)]
        if kept and head and foot
        else []
    )
    days = head.days if head and definition.source.day else ""
    return visit.page("reports/chart.html", id=id, title=definition.title, charts=charts, days=days, kept=kept)


def _chosen(visit: Visit, id: str) -> ReportDefinition:
    products = [one.strip() for one in visit.web.settings.console_products.split(",") if one.strip()]
    if id == _AGEING:
        # What all accounts come to, which needs none of them.
        return replace(BUILT_IN[id], group_by=())
    if id != _BY_PRODUCT or not products:
        return BUILT_IN[id]
    chosen = condition_of("product_id", ColumnKind.TEXT, products)
    return replace(BUILT_IN[id], filters=(*BUILT_IN[id].filters, chosen))
