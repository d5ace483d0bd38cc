"""The forecast of receipts and its error, against figures that were worked out by hand."""

from datetime import date
from fractions import Fraction

from models.reports.columns import percent_text
from models.reports.forecast import CollectedCohorts, as_last_month, bias, expected_minor, weighted_error
from models.reports.periods import months_before

DECEMBER = date(2026, 12, 1)


def test_what_is_billed_comes_in_by_the_shares_of_the_months_after() -> None:
    billed = {date(2026, 10, 1): 1000_00, date(2026, 11, 1): 1000_00, DECEMBER: 1200_00}
    shares = (Fraction(80, 100), Fraction(12, 100), Fraction(3, 100))

    assert expected_minor(DECEMBER, billed, shares) == 1110_00


def test_the_shares_are_those_of_closed_months_alone() -> None:
    months = [months_before(DECEMBER, back) for back in range(1, 13)]
    billed = dict.fromkeys(months, 100_00) | {DECEMBER: 500_00}
    collected = {(month, month): 80_00 for month in months} | {(DECEMBER, DECEMBER): 500_00}
    collected |= {(month, months_before(month, -1)): 12_00 for month in months if month != date(2026, 11, 1)}

    shares = CollectedCohorts(billed, collected).shares(DECEMBER)

    assert shares[:3] == (Fraction(80, 100), Fraction(12, 100), Fraction(0))


def test_a_month_that_is_held_out_is_forecast_without_its_own_billing() -> None:
    november, october = date(2026, 11, 1), date(2026, 10, 1)
    cohorts = CollectedCohorts({october: 1000_00, november: 400_00, DECEMBER: 5000_00}, {})

    assert cohorts.billed_before(DECEMBER) == {october: 1000_00, november: 400_00, DECEMBER: 400_00}
    assert cohorts.billed_before(october) == {october: 0}
    assert expected_minor(DECEMBER, cohorts.billed_before(DECEMBER), (Fraction(1, 2), Fraction(1, 4))) == 300_00


def test_the_error_stands_beside_that_of_saying_as_last_month() -> None:
    actual, forecast = [100, 120, 110], [105, 115, 118]

    error, tendency = weighted_error(actual, forecast), bias(actual, forecast)
    naive = weighted_error(actual, as_last_month(95, actual))

    assert error is not None
    assert tendency is not None
    assert naive is not None
    assert (percent_text(error), percent_text(tendency), percent_text(naive)) == ("5.45", "2.42", "10.61")
    assert weighted_error([0], [5]) is None
