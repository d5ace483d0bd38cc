"""Somebody without an account is asked for a payment: the account is made with the request, or not at all."""

from typing import Any

import pytest

from activities.database import Database, RuleBrokenError
from activities.payments.payment_requests import open_payment_request
from models.payments.payment_request import PaymentRequestInput
from models.payments.request_terms import InvalidPaymentRequestError
from tests.payments.paying_by_link import terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "ordered on the phone")
ADA: dict[str, Any] = {"owner_name": "Ada Lovelace", "owner_email": "ada@example.com"}


async def accounts(merchant: Merchant, id: str) -> list[tuple[str, str, str]]:
    rows = await merchant.run("select owner_name, email, currency from duly.accounts where id = :id", id=id)
    return [(row.owner_name, row.email, row.currency) for row in rows]


async def test_a_new_person_has_an_account_with_the_request_once(database: Database, merchant: Merchant) -> None:
    await merchant.account()
    request = PaymentRequestInput("new-1", "stripe", terms("ada-1", is_mailed=True, **ADA))

    first = await open_payment_request(database, request)
    again = await open_payment_request(database, request)

    assert first == again
    assert await accounts(merchant, "ada-1") == [("Ada Lovelace", "ada@example.com", "EUR")]
    assert await merchant.value("select actor from duly.account_changes where account_id = 'ada-1'") == "maria"


async def test_an_account_that_there_is_stays_as_it_is(database: Database, merchant: Merchant) -> None:
    account = await merchant.account()
    before = await accounts(merchant, account)

    await open_payment_request(database, PaymentRequestInput("old-1", "stripe", terms(account, **ADA)))

    assert await accounts(merchant, account) == before


async def test_a_request_that_is_refused_leaves_no_account_behind(database: Database, merchant: Merchant) -> None:
    await merchant.account()

    with pytest.raises(RuleBrokenError) as refused:
        await open_payment_request(database, PaymentRequestInput("small-1", "stripe", terms("ada-2", 1, **ADA)))

    assert refused.value.type == "amount_at_least"
    assert await accounts(merchant, "ada-2") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"owner_name": " "}, "owner_email"),
        ({"owner_email": "ada"}, "owner_email"),
        ({"invoices": ("INV-1",), "currency": "EUR"}, "owner_name"),
    ],
)
def test_a_person_who_makes_no_sense_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidPaymentRequestError, match=f"^{field}: "):
        terms("ada-3", **(ADA | change))


@pytest.mark.usefixtures("workers")
async def test_an_agent_asks_a_person_without_an_account(cli: CommandLine, merchant: Merchant) -> None:
    await merchant.account()
    asked = ("payment-requests", "create", "ada-4", "--title", "Consulting", "--amount", "25.00", "--no-mail")
    person = ("--owner", "Ada Lovelace", "--owner-email", "ada@example.com", "--currency", "EUR")

    refused = await cli(*asked, "--id", "phone-1", "--json", *WHO)
    made = await cli.json(*asked, "--id", "phone-1", *person, *WHO)

    assert refused.rules == [("account", "account_exists")]
    assert (made["state"], made["amount_minor"]) == ("open", 2500)
    assert await accounts(merchant, "ada-4") == [("Ada Lovelace", "ada@example.com", "EUR")]
