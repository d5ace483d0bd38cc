"""A history of actions on the ledger and on the oracle at once. After each action the two must agree."""

from collections.abc import Callable

from tests.ledger.books import Books
from tests.ledger.histories.change_actions import Changing
from tests.ledger.histories.create_actions import Creating
from tests.ledger.histories.history_base import Choices, Disagreement

__all__ = ["Disagreement", "LedgerHistory"]


class LedgerHistory(Creating, Changing):
    """One history on accounts of its own, any action at any time."""

    def __init__(self, books: Books, owner: Books, choices: Choices, number: int) -> None:
        super().__init__(books, owner, choices, number)
        self.actions: tuple[Callable[[], None], ...] = (
            *[self.invoice] * 4,
            self.batch,
            *[self.payment] * 5,
            *[self.credit_note] * 3,
            *[self.refund] * 2,
            self.edit_draft,
            self.post_draft,
            self.post_gateway_payment,
            self.reject,
            self.cancel_invoice,
            self.cancel_payment,
            self.write_off,
            self.move,
            self.quick_pay,
            self.change_account,
            self.change_principle,
            self.repeat,
            self.reuse_key,
            self.roll_up,
        )

    def step(self) -> None:
        """Take one action and compare."""
        self.choices.pick(self.actions)()
        self.compare()
