"""A closed month is supplemented: for whom its run did not have, each supplement with a certificate, all adding up."""

from collections import Counter
from collections.abc import Sequence

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from activities.runs.payment_runs import RunActivities
from activities.runs.queries import RunQueries
from models.runs.dry_run import DryRunRequest
from models.runs.process_run import Certificate, OutcomeTotal, RunKind
from models.workflow_ids import billing_run_id, payment_run_id
from tests.runs.test_who_is_due import freeze
from tests.support.attempts import broken_invariants
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.running_duly import RunningDuly

BILLING = billing_run_id("plans", PERIOD)

Key = tuple[str, str, str]


def amounts(totals: Sequence[OutcomeTotal]) -> Counter[Key]:
    """Minor units by outcome, reason and currency."""
    found: Counter[Key] = Counter()
    for one in totals:
        found[str(one.outcome), one.reason, one.currency] += one.amount_minor
    return found


def sum_of(*certificates: Certificate) -> dict[Key, int]:
    """What certificates come to: each one's totals, less what a later one took again."""
    found: Counter[Key] = Counter()
    for certificate in certificates:
        found.update(amounts(certificate.totals))
        found.subtract(amounts(certificate.taken_again))
    return {key: amount for key, amount in found.items() if amount}


def short(certificate: Certificate) -> dict[tuple[str, str], tuple[int, int]]:
    return {(str(one.outcome), one.reason): (one.members, one.amount_minor) for one in certificate.totals}


async def rule_of(duly: RunningDuly, supplement: int) -> str:
    """Run a supplement, see it refused, and return the rule."""
    with pytest.raises(WorkflowFailureError) as failed:
        await duly.run(supplement=supplement)
    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    return str(failed.value.cause.cause.type)


async def test_a_subscriber_who_joins_after_the_billing_run_is_billed_by_a_supplement(
    duly: RunningDuly, merchant: Merchant
) -> None:
    first, late = await merchant.account(), await merchant.account()
    await merchant.subscription(first, price_minor=1000)
    closed = await duly.bill()
    await merchant.subscription(late, price_minor=2000)

    supplement = await duly.bill(supplement=1)

    assert short(closed) == {("billed", ""): (1, 1190)}
    assert short(supplement) == {("billed", ""): (1, 2380)}
    assert (supplement.run_id, supplement.supplement) == (f"{BILLING}/supplement-1", 1)
    assert (await merchant.balance(first), await merchant.balance(late)) == (1190, 2380)
    assert await broken_invariants(merchant) == []


async def test_an_account_that_was_imported_late_is_charged_by_a_supplement(
    duly: RunningDuly, merchant: Merchant
) -> None:
    first = await merchant.account(owes_minor=2500)
    closed = await duly.run()
    late = await merchant.account(owes_minor=700)

    supplement = await duly.run(supplement=1)

    assert short(closed) == {("charged", ""): (1, 2500)}
    assert short(supplement) == {("charged", ""): (1, 700)}
    assert (await merchant.balance(first), await merchant.balance(late)) == (0, 0)


async def test_the_certificates_of_billing_add_up_to_what_the_ledger_has_invoiced_for_the_month(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    good, yen = await merchant.account(), await merchant.account(currency="JPY")
    await merchant.subscription(good, price_minor=1000)
    parked = await merchant.subscription(yen, price_minor=1000, currency="EUR")
    certificates = [await duly.bill()]
    await merchant.run("update duly.subscriptions set currency = 'JPY' where id = :id", id=parked)
    await merchant.subscription(good, price_minor=3000)
    certificates.append(await duly.bill(supplement=1))
    await merchant.subscription(await merchant.account(), price_minor=5000)
    certificates.append(await duly.bill(supplement=2))

    invoiced = await merchant.run(
        "select currency, sum(total_minor)::bigint as total from duly.financial_transactions"
        " where classification = 'invoice' group by currency"
    )
    of_month = await RunQueries(database).billed_totals(BILLING, of_month=True)
    billed = {row.currency: row.total for row in invoiced}
    assert billed == {"EUR": 1190 + 3570 + 5950, "JPY": 1190}
    assert sum_of(*certificates) == {("billed", "", currency): total for currency, total in billed.items()}
    assert {row.currency: row.total_minor for row in of_month} == billed
    assert [one.supplement for one in certificates] == [0, 1, 2]


@pytest.mark.nightly
async def test_the_certificates_of_payments_add_up_to_the_month(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    paid = await merchant.account(owes_minor=2500)
    await merchant.account(answers=[declined("do_not_honor")], answers_for_ever=True, owes_minor=900)
    without_card = await merchant.account(cards=[], owes_minor=300)
    await merchant.account(cards=[], owes_minor=450)
    certificates = [await duly.run()]
    await merchant.card(without_card, "pm_card_visa")
    await merchant.invoice(paid, 800)
    await merchant.account(owes_minor=700)
    await merchant.account(cards=[], owes_minor=60)
    certificates.append(await duly.run(supplement=1))
    await merchant.account(owes_minor=5000)
    certificates.append(await duly.run(supplement=2))

    of_month = await RunQueries(database).totals(RUN, of_month=True)
    charged = await merchant.value(
        "select sum(total_minor)::bigint from duly.financial_transactions where classification = 'payment'"
        " and state = 'posted'"
    )
    month = {(row.outcome, row.reason, row.currency): row.settled_minor or row.amount_minor for row in of_month}
    assert short(certificates[1]) == {("charged", ""): (3, 800 + 700 + 300), ("skipped", "no_card"): (1, 60)}
    assert amounts(certificates[1].taken_again) == {("skipped", "no_card", "EUR"): 300}
    assert sum_of(*certificates) == month
    assert month == {
        ("charged", "", "EUR"): 2500 + 800 + 700 + 300 + 5000,
        ("in_dunning", "do_not_honor", "EUR"): 900,
        ("skipped", "no_card", "EUR"): 450 + 60,
    }
    assert charged == month["charged", "", "EUR"]
    assert await broken_invariants(merchant) == []


async def test_a_supplement_asks_nobody_again_for_what_the_month_has_asked_for(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account(answers=[declined("do_not_honor")], answers_for_ever=True, owes_minor=900)
    await duly.run()
    await duly.collected(account)

    supplement = await duly.run(supplement=1)

    assert (supplement.members, supplement.totals) == (0, ())
    assert await merchant.balance(account) == 900


async def test_whom_an_aborted_run_let_go_is_charged_by_a_supplement_of_the_same_month(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await freeze(database)
    await RunActivities(database, rate=20).release_members(RUN)
    closed = await RunActivities(database, rate=20).certify_run(RUN)

    supplement = await duly.run(supplement=1)

    assert short(closed) == {("released", "run_aborted"): (1, 2500)}
    assert await merchant.balance(account) == 0
    assert short(supplement) == {("charged", ""): (1, 2500)}
    assert amounts(supplement.taken_again) == {("released", "run_aborted", "EUR"): 2500}


async def test_a_month_is_supplemented_once_it_is_closed_and_in_order(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account(owes_minor=2500)

    before_the_run = await rule_of(duly, 1)
    await duly.run()
    out_of_order = await rule_of(duly, 2)
    await duly.run(supplement=1)
    again = await rule_of(duly, 1)

    assert (before_the_run, out_of_order, again) == ("month_is_closed", "month_is_closed", "one_run_a_period")
    runs = await merchant.run("select id from duly.process_runs order by supplement")
    assert [row.id for row in runs] == [RUN, payment_run_id("monthly", PERIOD, 1)]


async def test_the_dry_run_of_a_supplement_tells_what_it_then_does(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    await merchant.account(owes_minor=2500)
    await duly.run()
    late, poor = await merchant.account(owes_minor=700), await merchant.account(cards=[], owes_minor=60)
    dry_runs = DryRunActivities(database)

    page = await dry_runs.dry_run_page(DryRunRequest("monthly", PERIOD, supplement=1))
    supplement = await duly.run(supplement=1)

    assert [(one.account_id, one.amount_minor, one.reason) for one in page.members] == [
        (late, 700, ""),
        (poor, 60, "no_card"),
    ]
    assert short(supplement) == {("charged", ""): (1, 700), ("skipped", "no_card"): (1, 60)}


async def test_the_dry_run_of_billing_tells_net_tax_and_total_of_what_it_then_bills(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    await merchant.subscription(await merchant.account(), price_minor=1000)
    await duly.bill()
    late = await merchant.subscription(await merchant.account(), price_minor=2000, quantity=2)
    yen = await merchant.subscription(await merchant.account(currency="JPY"), price_minor=1000)
    dry_runs, request = DryRunActivities(database), DryRunRequest("plans", PERIOD, supplement=1)

    page = await dry_runs.billing_page(request)
    is_over_nobody = await dry_runs.is_over_nobody(RunKind.BILLING, request)
    supplement = await duly.bill(supplement=1)

    assert [(one.subscription_id, one.net_minor, one.tax_minor, one.total_minor, one.reason) for one in page] == [
        (late, 4000, 760, 4760, ""),
        (yen, 1000, None, None, "currency_of_account"),
    ]
    assert not is_over_nobody
    assert [(one.reason, one.net_minor, one.tax_minor, one.total_minor) for one in supplement.totals] == [
        ("", 4000, 760, 4760),
        ("currency_of_account", 1000, None, None),
    ]


async def test_an_invoice_that_was_cancelled_is_billed_again_by_no_supplement(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account()
    await merchant.subscription(account, price_minor=1000)
    await duly.bill()
    invoice = await merchant.value("select id from duly.financial_transactions where classification = 'invoice'")
    await merchant.run(f"select duly.cancel_invoice(p_key => 'c1', p_invoice_id => '{invoice}')")

    supplement = await duly.bill(supplement=1)

    assert (supplement.members, await merchant.balance(account)) == (0, 0)
    assert await broken_invariants(merchant) == []
