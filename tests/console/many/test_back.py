"""Going back and forth: what a browser asks for again is a page, and what was typed is still there."""

import re

from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.console.many.test_many import discrepancies
from tests.support.builders import Merchant


async def test_a_preview_is_a_page_of_its_own_that_is_reloaded_and_gone_back_to_without_sending(
    browser: Browser, merchant: Merchant
) -> None:
    ids = await discrepancies(merchant, 2)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    page = await browser.open("/discrepancies")
    (token,) = set(re.findall(r'name="form_token" value="([0-9a-f]{64})"', page))

    data = {"form_token": token, "id": ids, "verb": "resolve", "back": "state=open"}
    chosen = await browser.client.post("/many/discrepancies", data=data, headers={"sec-fetch-site": "same-origin"})
    place = chosen.headers["location"]
    shown, again = await browser.open(place), await browser.open(place)

    # Reloaded, it is the same form, which is carried out once.
    keys = [re.findall(r'name="key" value="(\w{32})"', one) for one in (shown, again)]
    assert chosen.status_code == 303
    assert keys[0] == keys[1] != []
    assert all(f'value="{id}"' in shown for id in ids)
    assert await browser.status("/many/discrepancies") == 422


async def test_a_text_that_is_far_too_long_comes_back_in_its_field(browser: Browser, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=1000)
    invoice = await merchant.value(f"select id from duly.financial_transactions where account_id = '{account}'")
    await browser.sign_in()
    place = f"/do/transactions/note/{invoice}"
    form = await browser.open((await browser.client.get(place)).headers["location"])

    answer = await browser.send(place, note="long " * 40_000, reason="to remember")

    assert "At most 4,000 characters." in form
    assert answer.status_code == 422
    assert answer.text.count("long long") >= 1000
    assert "4000 characters" in answer.text or "4,000 characters" in answer.text
