"""What a story does to documents that are there."""

from datetime import timedelta
from typing import Any

from models.ledger.allocation import Principle
from models.ledger.transaction import Classification, LifeCycleState
from tests.ledger.histories.history_base import HistoryBase
from tests.ledger.oracle.model import ModelAccount, ModelTransaction, counterpart


class Changing(HistoryBase):
    """Drafts, corrections, accounts and the books themselves."""

    def edit_draft(self) -> None:
        found, amount = self._transaction(Classification.PAYMENT, state=LifeCycleState.DRAFT), self._amount()
        if found is None or found.classification is not Classification.PAYMENT:
            return
        rule = self.model.refuses_by_hand(found) or self.model.refuses_new(found.account, found.addressed)
        edited = self._ask(
            rule,
            lambda: (
                self.books.call("edit_draft", transaction_id=found.id, changes={"total_minor": amount}).transaction_id
            ),
        )
        if edited:
            found.total = amount

    def post_draft(self) -> None:
        found, posted_on = self._transaction(*Classification, state=LifeCycleState.DRAFT), self._day()
        if found is None or found.posted_on is not None:
            return
        due_on = found.due_on
        if due_on and found.state is LifeCycleState.DRAFT:
            # A draft's due date was chosen for another day; any day on which it is allowed will do.
            posted_on = due_on - timedelta(days=14)
        reference = f"pi_{self._key()}" if self.choices.number(0, 9) == 0 else None
        posted = self._ask(
            self.model.refuses_post(found, reference),
            lambda: (
                self.books.call(
                    "post_draft", transaction_id=found.id, posted_on=posted_on, gateway_reference=reference
                ).transaction_id
            ),
        )
        if posted:
            self.model.post(found, posted_on)

    def post_gateway_payment(self) -> None:
        found = self._transaction(Classification.PAYMENT, state=LifeCycleState.DRAFT)
        if found is None or found.provider is None:
            return
        reference = found.gateway_reference or f"pi_{self._key()}"
        is_repeat = found.posted_on is not None and reference == found.gateway_reference
        rule = None if is_repeat or found.state is LifeCycleState.DRAFT else "draft_only"

        def ask() -> str:
            self.books.run("select duly.post_gateway_payment(%s, %s)", found.id, reference)
            return found.id

        if self._ask(rule, ask) and not is_repeat:
            if self.model.accounts[found.account].state == "terminated":
                found.account = self.suspense
                self._adopt(self.suspense)
            found.gateway_reference = reference
            stored = self.books.transaction(found.id)
            self.model.post(found, stored["posted_on"])

    def reject(self) -> None:
        found = self._transaction(*Classification, state=LifeCycleState.DRAFT)
        if found is None or found.state is LifeCycleState.REJECTED:
            return
        rule = self.model.refuses_by_hand(found)
        if rule is None and self.model.accounts[found.account].state == "terminated":
            rule = "account_not_terminated"

        def ask() -> str:
            self.books.run("select duly.reject_draft(%s, 'duplicate', 'ada')", found.id)
            return found.id

        if self._ask(rule, ask):
            found.state = LifeCycleState.REJECTED

    def cancel_invoice(self) -> None:
        self._cancel(Classification.INVOICE, Classification.INVOICE_CANCELLATION)

    def cancel_payment(self) -> None:
        self._cancel(Classification.PAYMENT, Classification.PAYMENT_CANCELLATION)

    def write_off(self) -> None:
        found = self._unsettled_invoice()
        posted_on, key = self._day(), self._key()
        if found is None:
            return
        left = self.model.unsettled(found.id) if found.posted_on else 0

        def ask() -> str:
            return self.books.call(
                "write_off", key=key, invoice_id=found.id, type_id="write_off", posted_on=posted_on
            ).transaction_id

        made = self._ask(self.model.refuses_write_off(found), ask, key)
        if made:
            self._adopt(self.written_off)
            mirror = self.books.value("select id from duly.financial_transactions where counterpart_id = %s", made)
            credit = counterpart(found, made, Classification.WRITE_OFF, total=left)
            invoice = counterpart(credit, mirror, Classification.INVOICE, account=self.written_off)
            self.model.write_off(found, credit, invoice, posted_on)

    def move(self) -> None:
        found = self._transaction(Classification.PAYMENT, state=LifeCycleState.POSTED)
        account, posted_on, key = self._account(), self._day(), self._key()
        if found is None:
            return
        if self.written_off in self.model.accounts and self.choices.number(0, 3) == 0:
            account = self.written_off

        def ask() -> str:
            return self.books.call(
                "move_to_account", key=key, payment_id=found.id, account_id=account, posted_on=posted_on
            ).transaction_id

        made = self._ask(self.model.refuses_move(found, account), ask, key)
        if made:
            cancellation = self.books.value(
                "select id from duly.financial_transactions where counterpart_id = %s"
                " and classification = 'payment_cancellation'",
                found.id,
            )
            cancelling = counterpart(found, cancellation, Classification.PAYMENT_CANCELLATION)
            self.model.cancel(found, cancelling, posted_on)
            moved = counterpart(found, made, Classification.PAYMENT, account=account, provider=found.provider)
            moved.gateway_reference = found.gateway_reference
            if account == self.written_off:
                moved.addressed = self.model.mirrors_of(found.addressed)
            self.model.post(moved, posted_on)

    def quick_pay(self) -> None:
        found = self._unsettled_invoice()
        posted_on, key = self._day(), self._key()
        if found is None:
            return
        left = self.model.unsettled(found.id) if found.posted_on else 0

        def ask() -> str:
            return self.books.call(
                "quick_pay", key=key, invoice_id=found.id, method="cash", posted_on=posted_on
            ).transaction_id

        made = self._ask(self.model.refuses_quick_pay(found), ask, key)
        if made:
            payment = ModelTransaction(made, Classification.PAYMENT, found.account, left, addressed=(found.id,))
            self._made(payment, False, posted_on)

    def change_account(self) -> None:
        account = f"{self.name}_{self.choices.number(0, 2)}"
        state = self.choices.pick([*["active"] * 4, "suspended", "terminated"])
        self.books.run("select duly.set_account_state(%s, %s)", account, state)
        self.model.accounts[account].state = state

    def change_principle(self) -> None:
        self.model.principle = self.choices.pick([Principle.FIFO, *[Principle.AGAINST_ITEM_AND_FIFO] * 3])
        self.owner.run("update duly.definitions set allocation_principle = %s", self.model.principle)

    def roll_up(self) -> None:
        self.books.run("select duly.mark_roll_up()")
        self.books.run("select duly.fill_roll_ups()")

    def _cancel(self, classification: Classification, cancelling: Classification) -> None:
        found = self._pays_what_was_written_off() if classification is Classification.PAYMENT else None
        found = found or self._transaction(classification, state=LifeCycleState.POSTED)
        posted_on, key = self._day(), self._key()
        if found is None:
            return
        name = "invoice" if classification is Classification.INVOICE else "payment"
        arguments: dict[str, Any] = {"key": key, f"{name}_id": found.id, "posted_on": posted_on}
        made = self._ask(
            self.model.refuses_cancel(found, classification),
            lambda: self.books.call(f"cancel_{name}", **arguments).transaction_id,
            key,
        )
        if made:
            self.model.cancel(found, counterpart(found, made, cancelling), posted_on)

    def _pays_what_was_written_off(self) -> ModelTransaction | None:
        """Pick a payment without which a written-off invoice is owed again, if there is one, now and then."""
        every = self.model.transactions
        credits_ = [
            every[a.credit_id]
            for account in self.model.accounts.values()
            for a in account.settlement.allocations
            if every[a.debit_id].state is LifeCycleState.WRITTEN_OFF
        ]
        payments = [t for t in credits_ if t.classification is Classification.PAYMENT]
        return self.choices.pick(payments) if payments and self.choices.number(0, 1) else None

    def _adopt(self, account_id: str) -> None:
        self.model.accounts.setdefault(account_id, ModelAccount())

    def _unsettled_invoice(self) -> ModelTransaction | None:
        """Pick an invoice to be settled: mostly one that is paid in part, or owed again after its write-off."""
        invoices = [t for t in self.model.transactions.values() if self.model.is_payable(t)]
        in_part = [t for t in invoices if 0 < self.model.unsettled(t.id) < t.total]
        if in_part and self.choices.number(0, 2):
            return self.choices.pick(in_part)
        return self._transaction(Classification.INVOICE, state=LifeCycleState.POSTED)
