"""A payment request that is paid for its payer: somebody who may names a card on file, instead of the page (X62)."""

from dataclasses import dataclass

from models.operator_command import CommandError, OperatorCommand
from models.problem import refuse_unless


@dataclass(frozen=True)
class CardPayment(OperatorCommand):
    """Pay a request with a card on file of the account that is asked: the one named, else its first.

    `amount_minor` only where the payer chooses the amount, in minor units of the request's currency; 0 is what is
    suggested.
    """

    card_id: str = ""
    amount_minor: int = 0

    def check(self) -> None:
        """Raise CommandError unless who and why are given, and the amount is none or one."""
        super().check()
        refuse_unless(self.amount_minor >= 0, CommandError, "amount_minor: must not be negative")


@dataclass(frozen=True)
class NotedCardPayment:
    """A card payment of a request, to be kept with who and why before anything is closed or charged."""

    request_id: str
    command: CardPayment
