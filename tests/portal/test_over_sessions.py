"""A form of the portal whose session is over: nothing is done, nothing typed is lost, and it is sent once."""

import re
from html import unescape

import pytest

from tests.portal.conftest import OURS, Customer, reachable
from tests.support.builders import Merchant

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
STREET = "Straße „7“ <b>"


async def test_what_was_typed_in_a_session_that_is_over_comes_back_and_is_sent_in_the_next(
    acting: None, customer: Customer, merchant: Merchant
) -> None:
    # given a form that is filled in while its session ends
    account = await reachable(merchant, await merchant.account(cards=()), locale="de")
    await customer.enter(account)
    await customer.open("/details")
    customer.client.cookies.clear()
    typed = {"street": STREET, "city": "Köln", "postal_code": "50667", "country": "DE"}

    # when it is sent, again by the page that answers, and again after the next sign-in
    over = await customer.send("/details/address", OURS, **typed)
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(over.text)}
    still_over = await customer.client.post("/details/address", data=hidden, headers=OURS)
    await customer.enter(account)
    asked = await customer.client.post("/details/address", data=hidden, headers=OURS)
    before = await merchant.run("select street from duly.postal_addresses where account_id = :id", id=account)
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(asked.text.partition("<main")[2])}
    sent = await customer.client.post("/details/address", data=hidden, headers=OURS)

    # then it was kept by the page alone until its customer sent it
    assert [one.status_code for one in (over, still_over, asked, sent)] == [401, 401, 403, 303]
    assert "form_token" not in dict(_HIDDEN.findall(over.text))
    assert all(STREET in unescape(one.text) and "<b>" not in one.text for one in (over, asked))
    assert f"Konto {account}" in unescape(asked.text)
    assert (before, "Erledigt." in await customer.open(sent.headers["location"])) == ([], True)
    after = await merchant.run("select street, city from duly.postal_addresses where account_id = :id", id=account)
    assert [tuple(row) for row in after] == [(STREET, "Köln")]


@pytest.mark.parametrize(("locale", "text"), [("de", "Diese Seite gibt es nicht"), ("en", "There is no such page")])
async def test_what_is_not_there_is_said_in_the_language_of_the_account_with_the_way_on(
    customer: Customer, merchant: Merchant, locale: str, text: str
) -> None:
    await customer.enter(await reachable(merchant, await merchant.account(cards=()), locale=locale))

    answer = await customer.client.get("/documents/ft_1", headers={"accept-language": "fr, en;q=0.5"})

    assert (answer.status_code, text in answer.text, 'href="/payments"' in answer.text) == (404, True, True)
