"""A gateway that answers at once, without a network: what remains is Duly's own work."""

from collections.abc import Sequence
from datetime import UTC, datetime

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import Charge, ChargeResult, ChargeStatus
from models.gateway.decline import Decline
from models.gateway.movements import Movement, MovementKind
from sandbox.customers.gateway_customers import SavedAccount, SavedCard
from sandbox.customers.generation import GeneratedAccount

FEE_MINOR = 1
# A token that begins so is of a card without money: every charge is declined.
DECLINED = "pm_empty"


class InstantGateway(StripeGateway):
    """Stripe, except that a charge never leaves the process."""

    async def charge(self, charge: Charge) -> ChargeResult:
        """Succeed, or decline as the card's token says; the same key gives the same references."""
        key = charge.idempotency_key
        if charge.token.startswith(DECLINED):
            decline = Decline("card_declined", "insufficient_funds")
            return ChargeResult(ChargeStatus.DECLINED, f"pi_{key}", charge_reference=f"ch_{key}", decline=decline)
        moved = Movement(
            f"txn_{key}",
            MovementKind.CHARGE,
            f"ch_{key}",
            charge.amount_minor,
            FEE_MINOR,
            charge.currency,
            datetime.now(UTC),
        )
        return ChargeResult(ChargeStatus.SUCCEEDED, f"pi_{key}", charge_reference=f"ch_{key}", movement=moved)

    async def read_fingerprint(self, token: str) -> str:
        """Say nothing of a card: no two tokens here are one card."""
        del token
        return ""


class InstantCustomers:
    """Saves customers for the instant gateway: references and tokens made up on the spot."""

    async def save(self, accounts: Sequence[GeneratedAccount]) -> list[SavedAccount]:
        """Save some customers with their cards, in the order given."""
        return [SavedAccount(account, f"cus_{account.id}", _cards(account)) for account in accounts]


def _cards(account: GeneratedAccount) -> tuple[SavedCard, ...]:
    return tuple(
        SavedCard(f"pm_{account.id}_{order}", "visa", "4242", exp_month=12, exp_year=2099)
        for order, _ in enumerate(account.cards, start=1)
    )
