"""What people wrote is read whole: a long text of a table takes several lines, and is not cut off."""

import re

from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.support.builders import Merchant
from web.views.cells import Cell, state, text

LONG = "The customer has called twice, and asks that nobody charges her card before Friday."


async def test_a_long_note_is_prose_and_an_id_a_number_and_a_state_are_not(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    await browser.sign_in(role=ConsoleRole.ACCOUNTANT)

    browser.last = await browser.open(f"/do/transactions/note/{invoice}")
    answer = await browser.send(f"/do/transactions/note/{invoice}", note=f"{LONG}\nSecond line", reason=LONG)
    more = await browser.open(f"/transactions/{invoice}/more")
    commands = await browser.open("/commands?command=transactions+note")

    assert answer.status_code == 303
    assert re.search(
        rf'<td class="prose" dir="auto">{re.escape(LONG)}\s+Second line</td>',
        more + await browser.open(f"/transactions/{invoice}"),
    )
    assert f'<td class="prose" dir="auto">{LONG}</td>' in commands
    assert [one.is_prose for one in (text("short"), text("two\nlines"), Cell(LONG, "/accounts/1"), state("open"))] == [
        *(False, True),
        *(False, False),
    ]
