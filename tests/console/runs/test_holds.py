"""What a rule holds, in the console: the pages show what it compared, and a person releases it with who and why."""

import pytest

from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, Browser
from tests.payments.fraud.test_holds import ABOVE, is_settled
from tests.support.builders import PERIOD, Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection


@pytest.mark.usefixtures("acting")
async def test_an_accountant_sees_the_figures_and_releases_what_is_held(
    browser: Browser, duly: RunningDuly, merchant: Merchant
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=10001)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)
    path = f"/do/collections/release-hold/{account}/{PERIOD}"
    await browser.sign_in(role=ConsoleRole.ACCOUNTANT)

    pages = [await browser.open(f"/{page}") for page in (f"collections/{account}/{PERIOD}", f"accounts/{account}/now")]
    await browser.open(path)
    sent = await browser.send(path, OURS, reason="asked the customer", amount="")
    shown = await browser.open(sent.headers["location"])
    # Its Temporal is not the one that the console signals.
    await handle.signal(Collection.hold_released)
    await until(lambda: is_settled(merchant))
    after = await browser.open(f"/collections/{account}/{PERIOD}")

    assert all("above 100.00 EUR" in page and "large" in page for page in pages)
    assert f'href="{path}"' in pages[0]
    assert "released" in shown
    assert f'href="{path}"' not in after
    assert "asked the customer" in after
    assert await merchant.value("select released_by from duly.charge_holds") == "maria"
