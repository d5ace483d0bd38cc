"""Cases of a platform's own customers, for those of a merchant on its own account."""

import pytest

from activities.supervision.supervision import Progress, Supervision
from models.collections.collection import RetryCommand
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from sandbox.stripe.control.client import CardOutcome
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.supervision.scenario import NOTHING
from tests.support.builders import declined
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from workflows.supervision.resumption import resumable_of


async def supervise(platform: Platform) -> None:
    """Let the supervisor compare collections, as if nobody had just ended one."""
    client = platform.duly.client
    supervision = Supervision(platform.database, client, resumable_of, young=NOTHING, left_alone=NOTHING)
    begun = Progress((), Supervised(ObjectKind.COLLECTION))
    await supervision.compare(ObjectKind.COLLECTION, SupervisionRequest(), begun=begun, beat=lambda _: None)


@pytest.mark.nightly
@pytest.mark.parametrize("how", ["terminate", "cancel"])
async def test_a_receivable_whose_collection_was_stopped_in_temporals_ui_can_be_collected(
    platform: Platform, cafe: ConnectedMerchant, how: str
) -> None:
    theirs = cafe.client.merchant
    account = await theirs.account(owes_minor=2500)
    card = await theirs.token(account)
    platform.sandbox.script_card(card, declined("insufficient_funds"), CardOutcome(), account=cafe.account)
    handle = await platform.duly.start_collection(account, platform.period, provider=cafe.id)
    await handle.execute_update("first_outcome")
    await (handle.terminate("a mistake") if how == "terminate" else handle.cancel())

    resumed = platform.duly.collection(account, platform.period)

    async def is_collectable() -> bool:
        # A Cancel gives the receivable up; a Terminate leaves it to the supervisor.
        await supervise(platform)
        if how == "cancel":
            return bool(await theirs.value("select closed_at is not null from duly.collections"))
        return (await resumed.describe()).close_time is None and (await resumed.query("status"))["stage"] == "dunning"

    await until(is_collectable)
    if how == "cancel":
        await platform.duly.start_collection(account, f"{platform.period}-2", provider=cafe.id)
    else:
        await resumed.execute_update("retry_now", RetryCommand("maria", "the customer called"))

    async def is_paid() -> bool:
        return await theirs.balance(account) == 0

    await until(is_paid)
    assert (platform.charges(cafe.account), platform.charges()) == (1, 0)
    assert await cafe.client.wrong() == []


async def test_a_stolen_card_that_was_saved_three_times_is_asked_once(
    platform: Platform, cafe: ConnectedMerchant, cli: CommandLine
) -> None:
    theirs = cafe.client.merchant
    account = await theirs.account(cards=[], owes_minor=2500)
    for order in ("1", "2", "3"):
        token = await theirs.fresh_token("pm_card_visa")
        named = ("--token", token, "--order", order, "--method", theirs.method, "--recurring", "--provider", cafe.id)
        registered = await cli.json("cards", "register", account, *named)
        assert registered["first_outcome"]["outcome"] == "accepted"
        platform.sandbox.script_card(token, declined("stolen_card"), repeat_last=True, account=cafe.account)

    handle = await platform.duly.start_collection(account, platform.period, provider=cafe.id)
    first = await handle.execute_update("first_outcome")

    async def is_waiting() -> bool:
        return (await handle.query("status"))["stage"] not in {"collecting", "new"}

    await until(is_waiting)
    asked = await theirs.run("select outcome, decline_code from duly.gateway_attempts where amount_minor > 0")
    assert first["decline_code"] == "stolen_card"
    assert [tuple(row) for row in asked] == [("declined", "stolen_card")]
    assert platform.charges(cafe.account) == 0
