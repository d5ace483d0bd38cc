"""What tells the cards of an account apart, read at the gateway where nobody has: imported cards come without it."""

from sqlalchemy import select
from sqlalchemy.orm import aliased

from activities.database import Database
from models.cards.card import CardState
from models.gateway.charges import Charge, ChargeGateway
from models.gateway.errors import GatewayError
from models.tables.configuration import CardRow

_Asked = aliased(CardRow)


async def read_fingerprints(database: Database, gateway: ChargeGateway, charge: Charge) -> None:
    """Read those that are missing of the cards that a declined one has beside it, so that its other tokens are known.

    What the gateway does not say is left for the next decline: it is no reason to lose this one's.
    """
    beside = (
        select(CardRow.id, CardRow.token, CardRow.fingerprint)
        .join(_Asked, (_Asked.account_id == CardRow.account_id) & (_Asked.provider_id == CardRow.provider_id))
        .where(_Asked.token == charge.token, CardRow.state == CardState.ACTIVE, CardRow.token.is_not(None))
        .order_by(CardRow.id)
    )
    cards = await database.read(beside)
    if len(cards) < 2:
        return
    for card in cards:
        if card.fingerprint:
            continue
        try:
            fingerprint = await gateway.read_fingerprint(card.token)
        except GatewayError:
            continue
        if fingerprint:
            await database.call("note_fingerprint", card_id=card.id, fingerprint=fingerprint)
