"""The oracle: the ledger's rules in plain Python, over dictionaries. It predicts each refusal and each outcome."""

from dataclasses import dataclass, field, replace
from datetime import date

from models.ledger.allocation import Principle
from models.ledger.transaction import Classification, LifeCycleState
from tests.ledger.oracle.allocation import Item, Settlement, counterbalance, post, post_many, write_off
from tests.ledger.oracle.life_cycle import side_of, signed


@dataclass
class ModelAccount:
    state: str = "active"
    balance: int = 0
    version: int = 0
    credit_limit: int | None = None
    settlement: Settlement = field(default_factory=Settlement)


@dataclass
class ModelTransaction:
    id: str
    classification: Classification
    account: str
    total: int
    state: LifeCycleState = LifeCycleState.DRAFT
    addressed: tuple[str, ...] = ()
    provider: str | None = None
    gateway_reference: str | None = None
    due_on: date | None = None
    posted_on: date | None = None
    counterpart: str | None = None
    number: str | None = None


@dataclass
class ModelLedger:
    """All accounts and transactions, and what each action would do to them."""

    accounts: dict[str, ModelAccount] = field(default_factory=dict)
    transactions: dict[str, ModelTransaction] = field(default_factory=dict)
    principle: Principle = Principle.AGAINST_ITEM_AND_FIFO

    def unsettled(self, transaction_id: str) -> int:
        found = self.transactions[transaction_id]
        return self.accounts[found.account].settlement.unsettled(transaction_id)

    def is_posted(self, transaction_id: str) -> bool:
        return self.transactions[transaction_id].posted_on is not None

    def post(self, transaction: ModelTransaction, posted_on: date) -> None:
        """Post a document and allocate what it settles."""
        account, item = self._enter(transaction, posted_on)
        account.settlement = post(account.settlement, item, addressed=transaction.addressed, principle=self.principle)

    def post_batch(self, transactions: list[ModelTransaction], posted_on: date) -> None:
        """Post documents in one commit: all are entered, then their accounts are settled."""
        entered: dict[str, list[Item]] = {}
        for transaction in transactions:
            entered.setdefault(transaction.account, []).append(self._enter(transaction, posted_on)[1])
        for account_id, items in entered.items():
            account = self.accounts[account_id]
            account.settlement = post_many(account.settlement, items)

    def cancel(self, original: ModelTransaction, cancellation: ModelTransaction, posted_on: date) -> None:
        account, item = self._enter(cancellation, posted_on)
        account.settlement = counterbalance(account.settlement, original.id, item)
        original.state = LifeCycleState.CANCELLED

    def write_off(
        self, invoice: ModelTransaction, credit: ModelTransaction, mirror: ModelTransaction, posted_on: date
    ) -> None:
        account, item = self._enter(credit, posted_on)
        account.settlement = write_off(account.settlement, invoice.id, item)
        invoice.state = LifeCycleState.WRITTEN_OFF
        self.accounts.setdefault(mirror.account, ModelAccount())
        self.post(mirror, posted_on)

    def refuses_new(self, account_id: str, addressed: tuple[str, ...] = (), *, is_payment: bool = False) -> str | None:
        """Return the rule that refuses a new document on an account, if one does."""
        if account_id not in self.accounts:
            return "account_exists"
        if self.accounts[account_id].state == "terminated":
            return "account_not_terminated"
        for invoice_id in addressed:
            found = self.transactions.get(invoice_id)
            if found is None or found.account != account_id:
                return "addressed_invoice_posted"
            is_invoice = found.classification is Classification.INVOICE
            is_given_up = is_payment and is_invoice and found.state is LifeCycleState.WRITTEN_OFF
            if not self.is_payable(found) and not is_given_up:
                return "addressed_invoice_posted"
        return None

    def is_payable(self, found: ModelTransaction) -> bool:
        if found.classification is not Classification.INVOICE:
            return False
        is_owed_again = found.state is LifeCycleState.WRITTEN_OFF and self.unsettled(found.id) > 0
        return found.state is LifeCycleState.POSTED or is_owed_again

    def mirrors_of(self, invoices: tuple[str, ...]) -> tuple[str, ...]:
        """Return the invoices of the write-off account that stand for what was written off of invoices."""
        every = self.transactions.values()
        written = {t.id for t in every if t.classification is Classification.WRITE_OFF and t.counterpart in invoices}
        return tuple(t.id for t in every if t.classification is Classification.INVOICE and t.counterpart in written)

    def refuses_by_hand(self, draft: ModelTransaction) -> str | None:
        if draft.state is not LifeCycleState.DRAFT:
            return "draft_only"
        return "gateway_decides" if draft.provider else None

    def refuses_refund(self, account_id: str, amount: int) -> str | None:
        account = self.accounts[account_id]
        if account.credit_limit is not None and account.balance + amount > account.credit_limit:
            return "credit_limit"
        return None

    def refuses_post(self, transaction: ModelTransaction, gateway_reference: str | None) -> str | None:
        if transaction.state is not LifeCycleState.DRAFT:
            return "draft_only"
        if transaction.provider:
            return "gateway_decides"
        if gateway_reference:
            return "gateway_request_first"
        if self.accounts[transaction.account].state == "terminated":
            return "account_not_terminated"
        if transaction.classification is Classification.REFUND:
            return self.refuses_refund(transaction.account, transaction.total)
        return None

    def refuses_cancel(self, transaction: ModelTransaction, classification: Classification) -> str | None:
        if transaction.classification is not classification:
            return f"{classification}_only"
        if transaction.state is not LifeCycleState.POSTED:
            return "posted_only"
        if transaction.provider:
            return "gateway_confirms_first"
        if classification is Classification.INVOICE and transaction.counterpart:
            return "mirror_stays"
        if self.accounts[transaction.account].state == "terminated":
            return "account_not_terminated"
        return None

    def refuses_write_off(self, invoice: ModelTransaction) -> str | None:
        if invoice.classification is not Classification.INVOICE:
            return "invoice_only"
        if invoice.state is not LifeCycleState.POSTED:
            return "posted_only"
        if invoice.counterpart:
            return "mirror_stays"
        return "unsettled_only" if self.unsettled(invoice.id) == 0 else None

    def refuses_quick_pay(self, invoice: ModelTransaction) -> str | None:
        if invoice.classification is not Classification.INVOICE:
            return "invoice_only"
        if not self.is_payable(invoice):
            return "posted_only"
        if self.unsettled(invoice.id) == 0:
            return "unsettled_only"
        return self.refuses_new(invoice.account)

    def refuses_move(self, payment: ModelTransaction, account_id: str) -> str | None:
        if account_id not in self.accounts:
            return "account_exists"
        if payment.classification is not Classification.PAYMENT:
            return "payment_only"
        if payment.state is not LifeCycleState.POSTED:
            return "posted_only"
        if payment.account == account_id:
            return "other_account"
        return "account_not_terminated" if self.accounts[account_id].state == "terminated" else None

    def _enter(self, transaction: ModelTransaction, posted_on: date) -> tuple[ModelAccount, Item]:
        account = self.accounts[transaction.account]
        account.balance += signed(transaction.classification, transaction.total)
        account.version += 1
        transaction.state, transaction.posted_on = LifeCycleState.POSTED, posted_on
        self.transactions[transaction.id] = transaction
        return account, Item(
            id=transaction.id,
            side=side_of(transaction.classification),
            sort_on=transaction.due_on or posted_on,
            version=account.version,
            amount_minor=transaction.total,
            may_be_addressed=transaction.classification is Classification.INVOICE,
        )


def counterpart(
    original: ModelTransaction, new_id: str, classification: Classification, **changes: str | int | None
) -> ModelTransaction:
    """Return the transaction that answers another: its cancellation, write-off, mirror or moved payment."""
    return replace(
        ModelTransaction(new_id, classification, original.account, original.total, counterpart=original.id),
        **changes,  # type: ignore[arg-type]
    )
