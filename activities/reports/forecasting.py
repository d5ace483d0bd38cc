"""The forecast of receipts: rows worked out of what was billed and collected, month by month."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from models.reports.forecast import (
    HELD_OUT,
    CollectedCohorts,
    as_last_month,
    bias,
    expected_minor,
    weighted_error,
)
from models.reports.periods import months_before
from models.reports.result import Row

MONTHS_AHEAD = 3


def cohorts_of(rows: Sequence[Row]) -> dict[str, CollectedCohorts]:
    """Return the cohorts of each currency."""
    billed: dict[str, dict[date, int]] = defaultdict(dict)
    collected: dict[str, dict[tuple[date, date], int]] = defaultdict(dict)
    for row in rows:
        if row["paid_month"] is None:
            billed[row["currency"]][row["billed_month"]] = row["amount_minor"]
        else:
            collected[row["currency"]][row["billed_month"], row["paid_month"]] = row["amount_minor"]
    return {code: CollectedCohorts(billed[code], collected[code]) for code in sorted(billed)}


def forecast_rows(rows: Sequence[Row], day: date) -> list[Row]:
    """Return for each currency the held-out months, how wrong the forecast was in them, and the months to come."""
    return [row for code, known in cohorts_of(rows).items() for row in _of_currency(code, known, day)]


def _of_currency(code: str, known: CollectedCohorts, day: date) -> list[Row]:
    running = day.replace(day=1)
    held_out = [months_before(running, back) for back in range(HELD_OUT, 0, -1)]
    actual = [known.receipts(month) for month in held_out]
    forecast = [expected_minor(month, known.billed_before(month), known.shares(month)) for month in held_out]
    naive = as_last_month(known.receipts(months_before(held_out[0], 1)), actual)
    rows: list[Row] = [
        {
            "month": month,
            "kind": "held_out",
            "currency": code,
            "expected_minor": f,
            "received_minor": a,
            "naive_minor": n,
        }
        for month, a, f, n in zip(held_out, actual, forecast, naive, strict=True)
    ]
    errors = {"error": weighted_error(actual, forecast), "bias": bias(actual, forecast)}
    rows.append(
        {"month": None, "kind": "error", "currency": code, **errors, "naive_error": weighted_error(actual, naive)}
    )
    shares = known.shares(running)
    billed = dict(known.billed)
    usual = billed.get(months_before(running, 1), 0)
    for ahead in range(MONTHS_AHEAD):
        month = months_before(running, -ahead)
        # What is posted is known; until a month's run it is as much as the last closed month's.
        billed[month] = max(billed.get(month, 0), usual)
        rows.append(
            {
                "month": month,
                "kind": "forecast",
                "currency": code,
                "billed_minor": billed[month],
                "expected_minor": expected_minor(month, billed, shares),
            }
        )
    return rows
