"""Several payers: of one request the first pays for all; or each of several accounts is asked once, by a file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.payments.payment_requests import open_payment_request
from activities.request_tokens import RequestLinks
from models.payments.payment_request import PaymentRequestInput, PaymentRequestState
from models.payments.request_terms import InvalidPaymentRequestError
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import Payer, make, payer_at, submit, terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest

ADA, BOB = "ada@example.com", "bob@example.com"
WHO = ("--actor", "maria", "--reason", "membership")
HEAD = "request_id,account_id,title,amount,currency,invoices,mail,payers\n"


@pytest.fixture
async def payer(database: Database, standing_duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, standing_duly, gateway) as somebody:
        yield somebody


async def test_who_pays_first_pays_for_all_and_all_are_told(
    standing_duly: RunningDuly, merchant: Merchant, database: Database, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    id = f"dinner-{account}"
    handle, _ = await make(standing_duly, id, terms(account, is_mailed=True, payers=(ADA, BOB)))
    links = [f"/pay/{await RequestLinks(database).made(id, payer=each)}" for each in (1, 2)]

    pages = [await payer.press(link) for link in links]
    await submit(pages[0])
    late = await submit(pages[1])
    await handle.signal(PaymentRequest.gateway_event)
    result = await handle.result()
    rows = await merchant.run(
        "select id, parameters ->> 'payer' as payer from duly.messages where kind = 'payment_requested'"
        " and account_id = :account order by created_at, id",
        account=account,
    )

    assert pages[0] == pages[1]
    assert late != 303
    assert (result.state, await merchant.balance(account)) == (PaymentRequestState.PAID, -2500)
    assert stripe_sandbox.movements().totals[0].charges.count == 1
    assert [(row.id.rpartition("/")[2], row.payer) for row in rows] == [
        ("new-1", "1"),
        ("new-2", "2"),
        ("settled-1", "1"),
        ("settled-2", "2"),
    ]
    assert [(await payer.browser.post(link)).status_code for link in links] == [200, 200]
    assert await merchant.value("select opened_by from duly.payment_requests where id = :id", id=id) == 2


async def test_each_payer_gets_mail_of_their_own_without_the_name_of_the_account(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    wanted = terms(account, is_mailed=True, payers=(ADA, BOB))
    await open_payment_request(database, PaymentRequestInput(f"mail-{account}", "stripe", wanted))
    ids = await merchant.run("select id from duly.messages where account_id = :account order by id", account=account)

    claimed = [await database.call("claim_message", id=row.id) for row in ids]

    assert [(one["recipient"], one["name"], one["payer"]) for one in claimed] == [(ADA, "", 1), (BOB, "", 2)]


@pytest.mark.parametrize(
    "payers", [("ada",), (ADA, ADA), (ADA, ADA.upper()), ("ada@example.com,bob",) * 51, ("a da@example.com",), ("@",)]
)
def test_payers_who_cannot_be_written_to_are_refused(payers: tuple[str, ...]) -> None:
    with pytest.raises(InvalidPaymentRequestError, match=r"^payers: "):
        terms("acc-1", is_mailed=True, payers=payers)


@pytest.mark.usefixtures("workers")
async def test_good_rows_of_a_file_are_made_once_and_bad_ones_are_named(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    first, second = await merchant.account(), await merchant.account(owes_minor=2500)
    file = tmp_path / "requests.csv"
    file.write_text(
        HEAD
        + f"r1-{first},{first},Membership,20.00,EUR,,no,\n"
        + f"r2-{second},{second},Membership,,EUR,INV-404,no,\n"
        + f"r3-{second},{second},Membership,20.00,EUR,,perhaps,\n"
        + f"r4-{second},{second},Membership,-1,EUR,,no,\n"
        + f"r5-{second},{second},Membership,20.00,EUR,,yes,{ADA} {BOB}\n"
        + f"r6-{second},nobody,Membership,20.00,EUR,,no,\n"
        + f"7,{second},Membership,20.00,EUR,,no,\n"
        + f"r8-{second},{second},Membership,,EUR,,no,\n"
    )

    once = await cli("payment-requests", "import", str(file), "--json", *WHO)
    again = await cli("payment-requests", "import", str(file), "--json", *WHO)
    made = (await cli.json("payment-requests", "list", "--state", "open"))["payment_requests"]

    answer = once.document
    assert (once.exit_code, answer["summary"]) == (1, {"made": 2, "refused": 6})
    assert [(one["line"], one["rule"]) for one in sorted(answer["problems"], key=lambda one: one["line"])] == [
        (3, "invoices_collectable"),
        (4, "yes_or_no"),
        (5, "amount_positive"),
        (7, "account_exists"),
        (8, "id_format"),
        (9, "payment_request_valid"),
    ]
    assert again.document["summary"] == answer["summary"]
    assert {row["id"] for row in made} == {f"r1-{first}", f"r5-{second}"}


async def test_a_row_says_how_long_its_link_is_good_by_days_or_by_minutes(
    cli: CommandLine, workers: None, merchant: Merchant, tmp_path: Path
) -> None:
    account = await merchant.account(cards=[])
    file = tmp_path / "requests.csv"
    file.write_text(
        "request_id,account_id,title,amount,currency,mail,valid_days,valid_for\n"
        f"m1-{account},{account},Taxi,20.00,EUR,no,,45m\n"
        f"m2-{account},{account},Taxi,20.00,EUR,no,3,\n"
        f"m3-{account},{account},Taxi,20.00,EUR,no,,45 minutes\n"
    )

    answer = await cli("payment-requests", "import", str(file), "--json", *WHO)
    rows = await merchant.run("select expires_at - created_at as lasts from duly.payment_requests order by id")

    assert [(one["field"], one["rule"]) for one in answer.document["problems"]] == [("valid_for", "validity_format")]
    assert [row.lasts for row in rows] == [timedelta(minutes=45), timedelta(days=3)]
