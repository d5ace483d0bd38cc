"""Documents and money that a story creates."""

import json

from models.ledger.transaction import Classification
from tests.ledger.books import line
from tests.ledger.histories.history_base import HistoryBase, as_array
from tests.ledger.oracle.model import ModelTransaction


class Creating(HistoryBase):
    """New documents, asked for well and badly."""

    def invoice(self) -> None:
        account, posted_on, net = self._account(), self._day(), self._amount() if self.choices.number(0, 9) else 0
        due_on = self._due(posted_on)
        draft, lines = self.choices.number(0, 4) == 0, [line(net, tax_percent=19), line(net, product="silver")]
        total = sum(each["total_minor"] for each in lines)
        key = self._key()

        def ask() -> str:
            return self.books.call(
                "create_invoice", key=key, account_id=account, currency=self.currency, lines=lines, draft=draft,
                due_on=due_on, posted_on=posted_on,
            ).transaction_id  # fmt: skip

        made = self._ask(self.model.refuses_new(account), ask, key)
        if made:
            self._made(ModelTransaction(made, Classification.INVOICE, account, total, due_on=due_on), draft, posted_on)

    def batch(self) -> None:
        posted_on = self._day()
        wanted = [(self._key(), self._account(), self._amount(), self._due(posted_on)) for _ in range(3)]
        elements = [
            {"key": key, "account_id": account, "currency": self.currency, "posted_on": str(posted_on),
             "due_on": str(due_on), "lines": [line(net)]}
            for key, account, net, due_on in wanted
        ]  # fmt: skip
        rule = next(filter(None, (self.model.refuses_new(account) for _, account, _, _ in wanted)), None)
        made: list[str] = []

        def ask() -> str:
            rows = self.books.run("select transaction_id from duly.post_invoices(%s)", json.dumps(elements))
            made[:] = [row[0] for row in rows]
            return made[0]

        if self._ask(rule, ask, wanted[0][0]):
            self.model.post_batch(
                [
                    ModelTransaction(new, Classification.INVOICE, account, net, due_on=due_on)
                    for new, (_, account, net, due_on) in zip(made, wanted, strict=True)
                ],
                posted_on,
            )

    def payment(self) -> None:
        account, posted_on, amount, key = self._account(), self._day(), self._amount(), self._key()
        addressed = self._addressed(account)
        provider = self.choices.pick([*[None] * 4, "stripe"])
        draft = provider is not None or self.choices.number(0, 3) == 0

        def ask() -> str:
            if provider:
                return str(self.books.value(
                    "select duly.draft_payment(%s, %s, %s, %s, 'card', %s, %s, 'user')",
                    key, account, amount, self.currency, provider, as_array(addressed),
                ))  # fmt: skip
            return self.books.call(
                "create_payment", key=key, account_id=account, amount_minor=amount, currency=self.currency,
                method="cash", draft=draft, addressed_invoice_ids=as_array(addressed),
                posted_on=None if draft else posted_on,
            ).transaction_id  # fmt: skip

        made = self._ask(self.model.refuses_new(account, addressed, is_payment=True), ask, key)
        if made:
            new = ModelTransaction(
                made, Classification.PAYMENT, account, amount, addressed=addressed, provider=provider
            )
            self._made(new, draft, posted_on)

    def credit_note(self) -> None:
        account, posted_on, amount, key = self._account(), self._day(), self._amount(), self._key()
        addressed = self._addressed(account)
        draft = self.choices.number(0, 4) == 0

        def ask() -> str:
            return self.books.call(
                "create_credit_note", key=key, account_id=account, currency=self.currency, lines=[line(amount)],
                addressed_invoice_ids=as_array(addressed), draft=draft, posted_on=None if draft else posted_on,
            ).transaction_id  # fmt: skip

        made = self._ask(self.model.refuses_new(account, addressed), ask, key)
        if made:
            new = ModelTransaction(made, Classification.CREDIT_NOTE, account, amount, addressed=addressed)
            self._made(new, draft, posted_on)

    def refund(self) -> None:
        account, posted_on, amount, key = self._account(), self._day(), self._amount(), self._key()
        found = self.model.accounts.get(account)
        if found and found.credit_limit is not None and self.choices.number(0, 1):
            amount = max(1, found.credit_limit - found.balance + self.choices.number(0, 1))
        acknowledged = self.choices.number(0, 1) == 1
        rule = self.model.refuses_new(account)
        if rule is None and not acknowledged:
            rule = self.model.refuses_refund(account, amount)

        def ask() -> str:
            return self.books.call(
                "create_refund", key=key, account_id=account, amount_minor=amount, currency=self.currency,
                method="cash", posted_on=posted_on, acknowledge_credit_limit=acknowledged,
            ).transaction_id  # fmt: skip

        made = self._ask(rule, ask, key)
        if made:
            self._made(ModelTransaction(made, Classification.REFUND, account, amount), False, posted_on)

    def repeat(self) -> None:
        """Ask again with an old key: the answer must be the old one, whatever has changed since."""
        if not self.keys:
            return
        _, expected, ask = self.choices.pick(self.keys)
        self._agree("repeat", ask(), expected)

    def reuse_key(self) -> None:
        """Ask for something else with an old key."""
        if self.keys:
            key, _, _ = self.choices.pick(self.keys)
            self._ask(
                "key_means_one_request",
                lambda: self.books.pay(key, f"{self.name}_0", 1, currency=self.currency, method="cheque"),
            )
