"""A month against localstripe, a Stripe server that nobody here wrote: both books agree, though calls fail."""

import pytest

from bench.second_opinion.books import ForeignBooks, Moved, held_against
from bench.second_opinion.faults import CallFault
from bench.second_opinion.figures import measure_second_opinion
from sandbox.reconciliation import Booked

# With it a month of eight accounts meets every kind of fault, and no payment so many that it takes long.
SEED = 1799
PAID, BACK = Moved("ch_1", 2500, "EUR"), Moved("re_1", -800, "EUR")
THERE = ForeignBooks((PAID,), (BACK,), {"EUR": 1700}, doubled=0)
BOOKED = (Booked("ch_1", "EUR", 2500, 0), Booked("re_1", "EUR", -800, 0))


@pytest.mark.nightly
@pytest.mark.slow
async def test_after_a_month_with_every_other_call_failing_both_books_say_the_same() -> None:
    found = await measure_second_opinion(accounts=8, shares=(0.5,), seed=SEED, gateway_timeout_seconds=1.0)

    [month] = found.months
    assert (month.owing, month.unresolved, found.declining) == (0, 0, 1)
    assert month.books.charges_there == month.books.charges_in_ledger == month.paid == 7
    assert month.books.refunds_there == month.books.refunds_in_ledger == month.given_back == 6
    assert month.books.differences == 0
    assert set(month.counts.faults) == set(CallFault)


def test_books_that_agree_have_no_difference() -> None:
    found = held_against(THERE, BOOKED, {"EUR": 1700})

    assert (found.charges_there, found.charges_in_ledger, found.refunds_there, found.refunds_in_ledger) == (1, 1, 1, 1)
    assert found.differences == 0


@pytest.mark.parametrize(
    ("there", "booked", "differing"),
    [
        (ForeignBooks((), (BACK,), {"EUR": 1700}, 0), BOOKED, "missing_there"),
        (THERE, BOOKED[:1], "missing_in_ledger"),
        (THERE, (Booked("ch_1", "EUR", 2501, 0), BOOKED[1]), "amounts_differing"),
        (THERE, (Booked("ch_1", "EUR", 2500, 1), BOOKED[1]), "amounts_differing"),
        (ForeignBooks((PAID,), (BACK,), {"EUR": 1700, "JPY": 1}, 0), BOOKED, "balances_differing"),
        (ForeignBooks((PAID,), (BACK,), {"EUR": 1700}, 1), BOOKED, "doubled"),
    ],
)
def test_every_way_in_which_books_can_differ_is_counted(
    there: ForeignBooks, booked: tuple[Booked, ...], differing: str
) -> None:
    found = held_against(there, booked, {"EUR": 1700})

    assert (getattr(found, differing), found.differences) == (1, 1)


def test_what_the_ledger_has_twice_is_missing_there() -> None:
    found = held_against(THERE, (*BOOKED, BOOKED[0]), {"EUR": 1700})

    assert found.missing_there == 1
