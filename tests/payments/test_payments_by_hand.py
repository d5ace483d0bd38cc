"""An agent charges an amount, an invoice or a part of one, on a chosen card, now: the month's run takes the rest."""

from typing import Any

import pytest

from activities.database import Database
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.payments.order import asked_of, state_of
from models.payments.state import PaymentState
from models.problem import RefusedError
from sandbox.stripe.control.client import Answer, CardOutcome
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.run_control import until

BECAUSE = ("--actor", "maria", "--reason", "asked on the phone")


async def asks(merchant: Merchant) -> list[Any]:
    """Each payment that was posted: its amount and the last four digits of its card."""
    return list(
        await merchant.run(
            "select t.total_minor, c.last4 from duly.gateway_requests r join duly.cards c on c.id = r.card_id"
            " join duly.financial_transactions t on t.id = r.transaction_id where r.state = 'posted'"
            " order by r.created_at"
        )
    )


async def is_closed(merchant: Merchant) -> bool:
    """Whether the account's only collection is over."""
    return bool(await merchant.value("select closed_at is not null from duly.collections"))


@pytest.mark.usefixtures("workers")
async def test_an_agent_charges_an_amount_and_a_part_on_a_chosen_card_as_often_as_needed_and_the_run_takes_the_rest(
    cli: CommandLine, merchant: Merchant, database: Database, period: str
) -> None:
    account = await merchant.account(cards=["pm_card_visa", "pm_card_mastercard"])
    invoice = await merchant.invoice(account, 12000)
    other = await merchant.value("select id from duly.cards where brand = 'mastercard'")

    first = await cli.json("payments", "create", account, "--amount", "50.00", "--card", other, *BECAUSE)
    second = await cli.json("payments", "create", account, "--invoice", f"{invoice}=20.00", "--id", "call-2", *BECAUSE)
    again = await cli.json("payments", "create", account, "--invoice", f"{invoice}=20.00", "--id", "call-2", *BECAUSE)
    await freeze(database)

    assert [one["state"] for one in (first, second, again)] == ["succeeded"] * 3
    assert again["payment"]["number"] == second["payment"]["number"]
    assert await asks(merchant) == [(5000, "4444"), (2000, "4242")]
    assert await frozen(merchant) == {account: "5000 EUR, visa 4242"}
    assert await merchant.run("select actor, reason from duly.payment_orders") == [("maria", "asked on the phone")] * 2


@pytest.mark.usefixtures("workers")
async def test_a_decline_ends_the_payment_and_leaves_the_month_to_its_run(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(answers=[declined("lost_card"), declined("insufficient_funds")])
    await merchant.card(account, "pm_card_mastercard", order=2)
    invoice = await merchant.invoice(account, 2500)

    lost = await cli.json("payments", "create", account, "--invoice", invoice, *BECAUSE)
    # The answer comes before the end is written down.
    await until(lambda: is_closed(merchant))
    await freeze(database)

    assert (lost["state"], lost["first_outcome"]["decline_code"]) == ("canceled", "lost_card")
    assert await merchant.run("select stage, reason, action from duly.collections") == [
        ("given_up", "declined", "nothing")
    ]
    assert await merchant.value("select count(*) from duly.messages where audience = 'customer'") == 0
    assert await frozen(merchant) == {account: "2500 EUR, mastercard 4444"}


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_what_is_handed_over_is_followed_up_and_what_is_under_way_is_nobody_elses(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    soft = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    slow = await merchant.account(answers=[CardOutcome(answer=Answer.PROCESS, after_seconds=3600)], owes_minor=2500)

    handed = await cli.json("payments", "create", soft, "--amount", "25", "--hand-over", *BECAUSE)
    waits = await cli.json("payments", "create", slow, "--amount", "25", "--id", "slow", *BECAUSE)
    again = await cli.json("payments", "create", slow, "--amount", "25", "--id", "slow", *BECAUSE)
    second = await cli("payments", "create", slow, "--amount", "25", "--json", *BECAUSE)
    other = await cli("payments", "create", slow, "--amount", "24", "--id", "slow", "--json", *BECAUSE)
    await freeze(database)

    assert [one["state"] for one in (handed, waits, again)] == ["requires_payment_method", "processing", "processing"]
    assert await frozen(merchant) == {soft: "in_collection", slow: "in_collection"}
    assert (second.exit_code, second.rules) == (1, [("account", "something_owed")])
    assert [rule for _, rule in other.rules] == ["id_means_one_payment"]


@pytest.mark.usefixtures("workers")
async def test_a_card_that_runs_may_not_charge_is_charged_by_hand_and_who_pays_by_bank_too(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(is_recurring=False, owes_minor=2500)
    await database.call("set_preferred_method", account_id=account, method="bank_transfer")
    number = await merchant.value("select 'PP-' || number from duly.payment_preferences where not is_default")

    by_bank = await cli(
        "payments", "create", account, "--amount", "25", "--preference", "bank_transfer", "--json", *BECAUSE
    )
    paid = await cli.json("payments", "create", account, "--amount", "25", "--preference", number, *BECAUSE)

    assert [rule for _, rule in by_bank.rules] == ["card_required"]
    assert (paid["state"], paid["payment"]["preference"], paid["payment"]["kind"]) == ("succeeded", number, "by_hand")


async def test_what_makes_no_sense_is_refused_before_anything_is_written(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    other = await merchant.account(owes_minor=2500)
    theirs = await merchant.value("select id from duly.cards where account_id = :id", id=other)

    refused = [
        await cli("payments", "create", *words, "--json", *BECAUSE)
        for words in (
            ("nobody", "--amount", "1"),
            (account,),
            (account, "--amount", "25.01"),
            (account, "--amount", "0.10"),
            (account, "--amount", "25", "--card", theirs),
            (account, "--invoice", "INV-404"),
            (account, "--amount", "25", "--id", "4711"),
            (account, "--amount", "25", "--provider", "abroad"),
        )
    ]

    assert [one.exit_code for one in refused] == [1] * len(refused)
    assert [one.rules[0][1] for one in refused] == [
        "account_exists",
        "something_asked",
        "amount_collectable",
        "amount_at_least",
        "card_required",
        "invoices_collectable",
        "id_format",
        "provider_effective",
    ]
    assert await merchant.value("select count(*) from duly.payment_orders") == 0
    assert await merchant.value("select count(*) from duly.collections") == 0


@pytest.mark.parametrize(
    ("amount", "invoices", "read"),
    [
        ("50", (), (5000, ())),
        ("", ("INV-1", "INV-2", "INV-1"), (None, ("INV-1", "INV-2"))),
        ("", ("INV-1=12.34",), (1234, ("INV-1",))),
        ("50", ("INV-1", "INV-2"), (5000, ("INV-1", "INV-2"))),
    ],
)
def test_an_amount_invoices_or_a_part_of_one_are_read(
    amount: str, invoices: tuple[str, ...], read: tuple[int | None, tuple[str, ...]]
) -> None:
    asked, ids = asked_of(amount, invoices, "EUR")

    assert (asked.amount_minor if asked else None, ids) == read


@pytest.mark.parametrize(
    ("amount", "invoices", "rule"),
    [
        ("", (), "something_asked"),
        ("5", ("INV-1=5",), "one_part"),
        ("", ("INV-1=5", "INV-2=5"), "one_part"),
        ("5.001", (), "amount_is_decimal"),
        ("0", (), "amount_collectable"),
    ],
)
def test_what_cannot_be_read_is_refused(amount: str, invoices: tuple[str, ...], rule: str) -> None:
    with pytest.raises(RefusedError) as refused:
        asked_of(amount, invoices, "EUR")

    assert [problem.rule for problem in refused.value.problems] == [rule]


@pytest.mark.parametrize(
    ("outcome", "code", "hands_over", "state"),
    [
        (CollectOutcome.SETTLED, "", False, PaymentState.SUCCEEDED),
        (CollectOutcome.DECLINED, "insufficient_funds", False, PaymentState.CANCELED),
        (CollectOutcome.DECLINED, "insufficient_funds", True, PaymentState.REQUIRES_PAYMENT_METHOD),
        (CollectOutcome.DECLINED, "authentication_required", False, PaymentState.REQUIRES_ACTION),
        (CollectOutcome.UNKNOWN, "", False, PaymentState.UNKNOWN),
        (CollectOutcome.PROCESSING, "", False, PaymentState.PROCESSING),
        (CollectOutcome.NO_CARD, "no_card", False, PaymentState.CANCELED),
        (CollectOutcome.NO_CARD, "no_card", True, PaymentState.REQUIRES_PAYMENT_METHOD),
    ],
)
def test_an_outcome_is_said_in_stripes_words(
    outcome: CollectOutcome, code: str, hands_over: bool, state: PaymentState
) -> None:
    assert state_of(CollectResult(outcome, code=code), hands_over=hands_over) is state
