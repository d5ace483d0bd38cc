"""An event of an account that is not bound yet is kept for it, and no other account's objects are touched by it."""

from dataclasses import dataclass
from typing import Any

from activities.database import Database
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.gateway.stripe_events import event_of
from models.gateway.events import PAUSES
from tests.merchants.onboarding import connect, participating, terms
from tests.merchants.providers.conftest import Platform, provider_of
from workflows.events.targets import target_of


@dataclass(frozen=True)
class Receiver:
    """The platform's receiver of events."""

    platform: Platform
    inbox: EventInbox

    async def take(self, number: int, account: str, type_: str = "payment_intent.succeeded", **about: Any) -> str:
        """Store an event of a merchant's account; return its id."""
        id = f"evt_{number}_{self.platform.period.replace('-', '_')}"
        await self.inbox.receive(
            event_of({"id": id, "type": type_, "created": 1, "account": account, "data": {"object": about}})
        )
        return id

    async def deliver_all(self) -> None:
        """Deliver through every pause that an event about nothing known is given."""
        delivery = EventDelivery(self.inbox, self.platform.duly.client, target_of)
        for _ in range(len(PAUSES) + 1):
            await delivery.deliver_waiting()
            async with self.platform.own.owner_engine.begin() as connection:
                await connection.exec_driver_sql(
                    "update duly.gateway_events set next_try_at = now() where state = 'waiting'"
                )

    async def state(self, event: str) -> tuple[str, str, str]:
        """Where an event stands, why, and of which provider it is."""
        [row] = await self.platform.own.merchant.run(
            "select state, reason, provider_id from duly.gateway_events where id = :event", event=event
        )
        return row.state, row.reason, row.provider_id


async def test_events_of_an_account_wait_for_its_provider_are_listed_once_an_account_and_delivered_when_it_is_there(
    platform: Platform, database: Database
) -> None:
    merchant, id = platform.own.merchant, await participating(platform.own.merchant, f"inn-{platform.period}")
    _, link = await connect(platform.duly, id)
    receiver = Receiver(platform, EventInbox(database, "stripe"))
    card, account = f"card_{platform.period}", await merchant.account(cards=[])
    of_card = {"object": "setup_intent", "metadata": {"duly_request": f"card/{card}"}}

    first, second = [
        await receiver.take(number, link.gateway_account, "setup_intent.succeeded", id=f"seti_{number}", **of_card)
        for number in (1, 2)
    ]
    await receiver.deliver_all()
    unplaced = [await receiver.state(event) for event in (first, second)]
    alerts = await merchant.run("select parameters from duly.messages where kind = 'event_unknown'")
    method = (await provider_of(platform, id, merchant.stripe)).method
    placed = [await receiver.state(event) for event in (first, second)]
    await merchant.run("update duly.merchant_connections set state = 'successful' where merchant_id = :id", id=id)
    await merchant.run(
        "select duly.register_card(:card, :account, :provider, :method, null, true, 1, false, '')",
        card=card,
        account=account,
        provider=id,
        method=method,
    )
    await merchant.run(
        "insert into duly.gateway_customers (account_id, provider_id, customer_reference)"
        " values (:account, :id, 'cus_x')",
        account=account,
        id=id,
    )
    await merchant.run("select duly.open_validation(:card, 1)", card=card)
    keys = {hint.event_id: hint.key for hint in await receiver.inbox.to_deliver()}

    assert unplaced == [("needs_review", "unknown_account", "stripe")] * 2
    assert [row.parameters["object"] for row in alerts] == [link.gateway_account]
    assert placed == [("waiting", "", id)] * 2
    assert keys[first] == keys[second] == (card, id)


async def test_what_an_account_that_nobody_connected_says_of_our_own_payment_is_believed_by_nobody(
    platform: Platform, database: Database
) -> None:
    receiver = Receiver(platform, EventInbox(database, "stripe"))
    await platform.own.paid(2500)
    [payment] = await platform.own.merchant.run(
        "select id, gateway_reference from duly.gateway_requests where kind = 'payment'"
    )

    event = await receiver.take(
        1,
        f"acct_{platform.period.replace('-', '')}",
        id=payment.gateway_reference,
        metadata={"duly_request": payment.id},
    )
    await receiver.deliver_all()

    assert await receiver.state(event) == ("needs_review", "unknown_account", "stripe")


async def test_what_an_account_said_before_its_id_was_noted_is_delivered_to_its_connection(
    platform: Platform, database: Database
) -> None:
    merchant, id = platform.own.merchant, await participating(platform.own.merchant, f"pub-{platform.period}")
    receiver, account = (
        Receiver(platform, EventInbox(database, "stripe")),
        f"acct_pub{platform.period.replace('-', '')}",
    )
    asked = terms()
    event = await receiver.take(1, account, "account.updated", id=account, object="account")
    await receiver.deliver_all()
    early = await receiver.state(event)

    await merchant.run(
        "select duly.open_merchant_connection(:id, 'stripe', :email, 'DE', false, 'maria', 'as agreed')",
        id=id,
        email=asked.email,
    )
    await merchant.run("select duly.note_merchant_account(:id, 1, :account)", id=id, account=account)
    keys = {hint.event_id: hint.key for hint in await receiver.inbox.to_deliver()}

    assert early == ("needs_review", "unknown_account", "stripe")
    assert keys[event] == (id, "stripe")
