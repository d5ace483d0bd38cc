"""What happens while a charge is held: its account is blocked, the database is restored."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.collections.collect import CollectActivities
from activities.database import Database
from sandbox.stripe.control.client import SandboxControl
from tests.payments.fraud.test_holds import ABOVE, paid
from tests.payments.fraud.test_releases import FAST, MARIA
from tests.support.attempts import charged
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection

WHO = ("--actor", "maria", "--reason", "as we know by now")


async def test_who_is_blocked_while_a_rule_holds_it_waits_for_that_and_for_the_rule_again_afterwards(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, cli: CommandLine
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=10001)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)
    reasons = [(await handle.query(Collection.status)).review_reason]

    await cli.json("fraud", "block", "account", account, *WHO)
    await duly.environment.sleep(2 * 3600)  # it looks again each hour
    reasons.append((await handle.query(Collection.status)).review_reason)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(Collection.release_hold, MARIA)
    await cli.json("fraud", "unblock", "account", account, *WHO)
    await duly.environment.sleep(2 * 3600)
    reasons.append((await handle.query(Collection.status)).review_reason)

    assert reasons == ["held_by_rule", "account_blocked", "held_by_rule"]
    assert charged(stripe_sandbox) == (0, 0)


async def test_what_merchants_were_paid_is_counted_anew_from_the_attempts_after_a_restore(
    merchant: Merchant, collecting: CollectActivities, database: Database
) -> None:
    await merchant.configure(FAST.format("merchant"))
    await paid(merchant, collecting, await merchant.account(), 100)
    counted = await merchant.value("select sum(charges) from duly.charge_counts")

    await database.call(
        "hold_sending",
        provider_id=merchant.provider,
        reason="restored",
        forgot_since=await merchant.value("select now()"),
    )

    assert (counted, await merchant.value("select count(*) from duly.charge_counts")) == (1, 0)
