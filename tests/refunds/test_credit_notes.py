"""A refund for goods that came back brings its credit note: in one commit, with the tax that was charged, once."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from temporalio.client import Client

from models.money import vat_of
from models.problem import RefusedError
from models.refunds.credit import CreditableInvoice, CreditableLine, credit_lines
from models.workflow_ids import refund_id
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.support.attempts import broken_invariants
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the goods came back")


def line(quantity: int, price_minor: int, product: str = "plan") -> dict[str, object]:
    net = quantity * price_minor
    return {
        "product_id": product,
        "quantity": quantity,
        "unit_price_minor": price_minor,
        "discount_minor": 0,
        "net_minor": net,
        "tax_rate_id": "vat",
        "tax_minor": vat_of(net, 19),
        "total_minor": net + vat_of(net, 19),
    }


async def post_invoice(merchant: Merchant, account: str, *lines: dict[str, object]) -> str:
    document = {
        "key": f"goods:{next(merchant.numbers)}",
        "account_id": account,
        "currency": "EUR",
        "lines": list(lines),
    }
    rows = await merchant.run("select * from duly.post_invoices(:batch)", batch=Jsonb([document]))
    return str(rows[0].transaction_id)


@pytest.fixture
async def account(merchant: Merchant) -> str:
    """An account whose card is charged; its refunds can be made to fail."""
    await merchant.configure('[[products]]\nid = "cap"\nname = "Cap"\ntax_rate = "vat"')
    return await merchant.account(cards=["pm_card_refundFail"])


async def collect(cli: CommandLine, merchant: Merchant, account: str, period: str) -> str:
    """Collect what the account owes; return the payment."""
    await cli.json("collections", "start", account, period)
    merchant.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    return str(await merchant.value("select id from duly.financial_transactions where classification = 'payment'"))


async def credited(merchant: Merchant) -> Sequence[tuple[str, str, int, int]]:
    rows = await merchant.run(
        "select t.addressed_invoice_ids[1], l.product_id, l.net_minor, l.tax_minor from duly.financial_transactions t"
        " join duly.transaction_lines l on l.transaction_id = t.id where t.classification = 'credit_note'"
        " order by t.account_version, l.position"
    )
    return [tuple(row) for row in rows]


@pytest.mark.usefixtures("workers")
async def test_a_part_goes_back_with_its_credit_note_once(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    invoice = await post_invoice(merchant, account, line(2, 5000), line(1, 1000, "cap"))
    payment = await collect(cli, merchant, account, period)
    words = ("refunds", "create", payment, "--amount", "59.50", "--credit-product", "plan", "--id", f"rf_{period}")

    made = await cli.json(*words, *WHO)
    again = await cli.json(*words, *WHO)
    shown = await cli("refunds", "show", f"rf_{period}")

    assert made["first_outcome"]["outcome"] == "refunded"
    assert again == made
    assert await credited(merchant) == [(invoice, "plan", 5000, 950)]
    assert made["credit_note"]["number"] in shown.stdout
    assert await merchant.balance(account) == 0
    assert await broken_invariants(merchant) == []


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_no_more_is_credited_than_was_billed(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    invoice = await post_invoice(merchant, account, line(1, 5000), line(1, 1000, "cap"))
    payment = await collect(cli, merchant, account, period)

    too_much = await cli("refunds", "create", payment, "--amount", "20.00", "--credit-product", "cap", *WHO, "--json")
    first = await cli.json("refunds", "create", payment, "--amount", "11.90", "--credit-product", "cap", *WHO)
    again = await cli("refunds", "create", payment, "--amount", "1.00", "--credit-product", "cap", *WHO, "--json")
    rest = await cli.json("refunds", "create", payment, "--credit-note", *WHO)

    assert too_much.rules == [("amount", "credit_within_billed")]
    assert first["first_outcome"]["outcome"] == "refunded"
    assert again.rules == [("credit_product", "product_on_invoice")]
    assert rest["first_outcome"]["amount_minor"] == 5950
    assert [(of, product, net + tax) for of, product, net, tax in await credited(merchant)] == [
        (invoice, "cap", 1190),
        (invoice, "plan", 5950),
    ]
    assert await merchant.balance(account) == 0


async def plan(merchant: Merchant, account: str, refund: str, invoice: str) -> None:
    """Plan a refund's credit note of a cap."""
    document = {"key": refund, "account_id": account, "currency": "EUR", "lines": [line(1, 1000, "cap")]}
    await merchant.run(
        "insert into duly.refund_credits (refund_id, invoice_id, amount_minor, document, actor, reason)"
        " values (:refund, :invoice, 1190, :document, 'maria', 'back')",
        refund=refund,
        invoice=invoice,
        document=Jsonb(document | {"invoices": [invoice]}),
    )


async def test_of_two_refunds_at_once_no_more_of_a_product_is_credited_than_was_billed(
    merchant: Merchant, account: str
) -> None:
    invoice = await post_invoice(merchant, account, line(1, 5000), line(1, 1000, "cap"))
    for refund in ("rf_a", "rf_b"):
        await plan(merchant, account, refund, invoice)

    for refund in ("rf_a", "rf_b"):
        await merchant.run("select duly.post_refund_credit(:refund)", refund=refund)

    rows = await merchant.run("select refused_because from duly.refund_credits order by refund_id")
    assert [row.refused_because for row in rows] == ["", "credit_within_billed"]
    assert await credited(merchant) == [(invoice, "cap", 1000, 190)]


@pytest.mark.usefixtures("workers")
async def test_what_a_refund_that_is_under_way_will_credit_of_a_product_is_left_to_it(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    invoice = await post_invoice(merchant, account, line(1, 5000), line(1, 1000, "cap"))
    payment = await collect(cli, merchant, account, period)
    await plan(merchant, account, "rf_under_way", invoice)
    await merchant.run(
        "insert into duly.gateway_requests (id, kind, provider_id, account_id, period, amount_minor, currency, state,"
        " of_request_id) select 'rf_under_way', 'refund', provider_id, account_id, period, 1190, currency, 'unknown',"
        " id from duly.gateway_requests where kind = 'payment'"
    )

    of_it = await cli("refunds", "create", payment, "--amount", "11.90", "--credit-product", "cap", *WHO, "--json")
    of_all = await cli.json("refunds", "create", payment, "--amount", "59.50", "--credit-note", *WHO)

    assert of_it.rules == [("credit_product", "product_on_invoice")]
    assert of_all["first_outcome"]["outcome"] == "refunded"
    assert await credited(merchant) == [(invoice, "plan", 5000, 950)]


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_a_refund_that_is_refused_leaves_no_credit_note_and_its_id_is_free(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    await post_invoice(merchant, account, line(1, 10000))
    payment = await collect(cli, merchant, account, period)
    await merchant.run("update duly.accounts set credit_limit_minor = 0")
    words = ("refunds", "create", payment, "--amount", "11.90", "--credit-note", "--id", f"rf_{period}")

    refused = await cli(*words, *WHO, "--json")
    plans = await merchant.value("select count(*) from duly.refund_credits")
    made = await cli.json(*words, "--acknowledge-warning", *WHO)

    assert refused.rules == [("amount", "credit_limit")]
    assert plans == 0
    assert made["first_outcome"]["outcome"] == "refunded"
    assert len(await credited(merchant)) == 1


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_of_several_invoices_the_one_is_named(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    first, second = [await post_invoice(merchant, account, line(1, 5000)) for _ in range(2)]
    payment = await collect(cli, merchant, account, period)
    words = ("refunds", "create", payment, "--amount", "11.90")

    unnamed = await cli(*words, "--credit-note", *WHO, "--json")
    made = await cli.json(*words, "--credit-invoice", second, *WHO)

    assert unnamed.rules == [("credit_invoice", "invoice_named")]
    assert made["credit_note"]["invoice_id"] == second != first
    assert [of for of, *_ in await credited(merchant)] == [second]


@pytest.mark.usefixtures("workers")
async def test_money_that_left_stays_booked_where_the_ledger_refuses_the_credit_note(
    cli: CommandLine, merchant: Merchant, account: str, period: str
) -> None:
    invoice = await post_invoice(merchant, account, line(1, 10000))
    payment = await collect(cli, merchant, account, period)
    lines = [line(1, 1000) | {"tax_minor": 189, "total_minor": 1189}]
    document = {"key": "k", "account_id": account, "currency": "EUR", "lines": lines, "invoices": [invoice]}
    await merchant.run(
        "insert into duly.refund_credits (refund_id, invoice_id, amount_minor, document, actor, reason)"
        " values (:id, :invoice, 1190, :document, 'maria', 'back')",
        id=f"rf_{period}",
        invoice=invoice,
        document=Jsonb(document),
    )

    made = await cli.json("refunds", "create", payment, "--amount", "11.90", "--id", f"rf_{period}", *WHO)

    assert made["first_outcome"]["outcome"] == "refunded"
    assert made["credit_note"]["refused_because"] == "line_adds_up"
    assert await credited(merchant) == []
    assert await broken_invariants(merchant) == []


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_what_came_back_is_asked_for_again_without_a_second_credit_note(
    cli: CommandLine, temporal_server: Client, merchant: Merchant, account: str, period: str
) -> None:
    await post_invoice(merchant, account, line(1, 10000))
    payment, name = await collect(cli, merchant, account, period), f"rf_{period}"
    made = await cli.json("refunds", "create", payment, "--amount", "11.90", "--credit-note", "--id", name, *WHO)
    merchant.sandbox.fail_refund(made["first_outcome"]["gateway_reference"])
    await cli.json("refunds", "check", name, *WHO)
    await temporal_server.get_workflow_handle(refund_id(name)).result()

    again = await cli.json("refunds", "retry", name, *WHO)

    assert again["first_outcome"]["outcome"] == "refunded"
    assert "credit_note" not in again
    assert len(await credited(merchant)) == 1
    assert await merchant.balance(account) == 0


LINES = st.lists(
    st.builds(
        CreditableLine,
        st.sampled_from(["plan", "cap"]),
        st.just("Name"),
        st.sampled_from(["vat", None]),
        st.sampled_from([Decimal(0), Decimal("7.7"), Decimal(19), Decimal(100)]),
        st.integers(0, 10**7),
    ),
    min_size=1,
    max_size=5,
)


@given(LINES, st.integers(1, 10**8))
def test_the_lines_of_a_credit_add_up_and_none_takes_more_than_is_left(
    lines: list[CreditableLine], amount_minor: int
) -> None:
    left = sum(one.left_minor for one in lines)
    invoice = CreditableInvoice("ft_1", "acc_1", "INV-1", left, tuple(lines))

    if amount_minor > left:
        with pytest.raises(RefusedError):
            credit_lines(invoice, amount_minor, "EUR")
        return
    made = credit_lines(invoice, amount_minor, "EUR")

    assert sum(one["total_minor"] for one in made) == amount_minor
    for one in made:
        percent = Decimal(one["tax_rate"]) if "tax_rate" in one else None
        assert one["net_minor"] >= 0
        assert one["total_minor"] == one["net_minor"] + one["tax_minor"]
        assert percent is None or one["tax_minor"] == vat_of(one["net_minor"], percent)
