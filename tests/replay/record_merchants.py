"""Records the histories of merchants' connections, as `record.py` does those of collecting. By hand:

.venv/bin/pytest tests/replay/record_merchants.py
"""

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import AccountReview, SandboxControl
from tests.merchants.onboarding import connect, owner_at, participating, stands
from tests.replay.histories import keep
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.merchants.merchant_connection import MerchantConnection

WHO = OperatorCommand("maria", "as agreed")


async def test_connected_restricted_and_disconnected(
    duly: RunningDuly, merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    handle, link = await connect(duly, await participating(merchant, "bakery"))
    async with owner_at(database, duly, gateway) as owner:
        await owner.onboard(link.path, "later")
        await stands(handle, "incomplete")
        await owner.onboard(link.path)
        await stands(handle, "successful")
    stripe_sandbox.review_account(
        link.gateway_account, AccountReview(charges_enabled=False, disabled_reason="under_review")
    )
    await handle.execute_update(MerchantConnection.check_now, WHO)
    await stands(handle, "restricted")
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()

    await keep("merchant_connection-restricted_and_disconnected", handle)


async def test_reconnected_and_shut_out(
    duly: RunningDuly, merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    handle, link = await connect(duly, await participating(merchant, "bakery"))
    async with owner_at(database, duly, gateway) as owner:
        await owner.onboard(link.path)
        await stands(handle, "successful")
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()
    again, _ = await connect(duly, "bakery", gateway_account=link.gateway_account)
    await stands(again, "successful")
    stripe_sandbox.disconnect(link.gateway_account)
    await again.signal(MerchantConnection.gateway_event)
    await again.result()

    await keep("merchant_connection-reconnected_and_shut_out", again)
