"""What has changed since a page was opened is said, in the customer's language, and is not called missing."""

import pytest

from tests.portal.conftest import Customer
from tests.support.builders import Merchant


@pytest.mark.parametrize(
    ("locale", "gone", "paid"),
    [("en", "not in use any more", "paid already"), ("de", "nicht mehr verwendet", "schon bezahlt")],
)
async def test_a_card_that_is_gone_and_an_invoice_that_is_paid_say_so(
    acting: None, customer: Customer, merchant: Merchant, locale: str, gone: str, paid: str
) -> None:
    account = await merchant.account(owes_minor=1190)
    await merchant.run("update duly.accounts set locale = :locale where id = :id", locale=locale, id=account)
    card = await merchant.value("select id from duly.cards where account_id = :id", id=account)
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    await customer.enter(account)
    await customer.open("/cards")

    # when another tab has removed the card, and somebody has paid the invoice
    await merchant.run("update duly.cards set state = 'removed' where id = :id", id=card)
    removed = [await customer.client.get(f"/cards/{card}/remove"), await customer.send(f"/cards/{card}/remove")]
    others = [await customer.send(f"/cards/{card}/{verb}") for verb in ("default", "replace")]
    await customer.open(f"/documents/{invoice}")
    await merchant.transfer(account, 1190)
    again = await customer.send(f"/documents/{invoice}/pay")

    # then it is gone as it was wanted, and else it is said
    assert [(one.status_code, one.headers["location"]) for one in removed] == [
        (303, "/cards"),
        (303, "/cards?done=yes"),
    ]
    assert [(one.status_code, gone in one.text) for one in others] == [(409, True)] * 2
    assert (again.status_code, paid in again.text, f"{invoice}/pay" in again.text) == (409, True, False)


@pytest.mark.parametrize(("locale", "ended"), [("en", "This account has ended"), ("de", "Dieses Konto ist beendet")])
async def test_of_an_account_that_has_ended_everything_is_seen_and_nothing_paid_or_saved(
    acting: None, customer: Customer, merchant: Merchant, locale: str, ended: str
) -> None:
    account = await merchant.account(owes_minor=1190)
    await merchant.run("update duly.accounts set locale = :locale where id = :id", locale=locale, id=account)
    card = await merchant.value("select id from duly.cards where account_id = :id", id=account)
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    await customer.enter(account)
    ways = [
        *(f"/documents/{invoice}/pay", "/pay", "/cards/add", f"/cards/{card}/replace", f"/cards/{card}/default"),
        *("/wallet/voucher", "/wallet/top-up"),
    ]
    before = [await customer.open(path) for path in ("/", f"/documents/{invoice}", "/cards", "/wallet")]

    # when it is terminated in the middle of a session
    await merchant.run("select duly.set_account_state(:id, 'terminated')", id=account)
    sent = [await customer.send(way, code="ABCD", is_on="yes") for way in ways]
    pages = [await customer.open(path) for path in ("/", f"/documents/{invoice}", "/cards", "/wallet")]

    # then
    assert [(one.status_code, ended in one.text) for one in sent] == [(409, True)] * len(ways)
    assert all(ended in page for page in pages)
    assert [way for way in ways if any(f'action="{way}"' in page for page in pages)] == []
    assert [way for way in ways if not any(f'action="{way}"' in page for page in before)] == [
        *("/pay", f"/cards/{card}/default", "/wallet/top-up")
    ]
    # but a card may be taken away
    assert f"/cards/{card}/remove" in pages[2]
