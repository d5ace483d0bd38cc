"""The activities that ask for payments, together, for a worker of a provider."""

from typing import Any, Protocol

from activities.cards.cards import CardActivities
from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.pace import Pace
from activities.payments.request_pages import RequestPageActivities
from models.gateway.cards import CardGateway
from models.gateway.charges import Gateway


class GatewayOfCards(CardGateway, Gateway, Protocol):
    """What cards are saved at and charged through."""


def payment_families(
    database: Database, gateway: GatewayOfCards, clocks: Clocks, pace: Pace, public_url: str
) -> tuple[Any, ...]:
    """Return what charges and saves cards, also on pages."""
    return (
        CollectActivities(database, gateway, clocks, pace),
        PaymentPageActivities(database, gateway, clocks, f"{public_url}/paid"),
        RequestPageActivities(database, gateway, clocks, pace),
        CardActivities(database, gateway, clocks, pace, f"{public_url}/saved"),
    )
