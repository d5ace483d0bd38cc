"""No event is needed: an account is read again by itself, often while its owner is busy with it, and daily later."""

from datetime import timedelta

from sandbox.stripe.control.client import AccountReview, SandboxControl
from tests.merchants.onboarding import connect, participating
from tests.merchants.providers.conftest import READY
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.merchants.merchant_connection import MerchantConnection


async def test_what_no_event_has_told_is_found_by_the_next_look(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    handle, link = await connect(duly, await participating(merchant, "bakery"))
    stripe_sandbox.review_account(link.gateway_account, READY)

    await duly.environment.sleep(timedelta(hours=2))
    after_hours = (await handle.query(MerchantConnection.status)).stage
    stripe_sandbox.review_account(
        link.gateway_account, AccountReview(charges_enabled=False, disabled_reason="rejected.fraud")
    )
    await duly.environment.sleep(timedelta(hours=25))
    status = await handle.query(MerchantConnection.status)

    assert after_hours == "successful"
    assert (status.stage, status.reason, status.is_in_review) == ("restricted", "rejected.fraud", True)
