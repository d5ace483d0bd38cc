"""A small ledger of which every figure was worked out by hand: three currencies, two gateways, bank and cash.

What moves through a gateway, a wallet or a voucher is posted on the day that it is: it is moved to 30 November.
"""

from datetime import date
from typing import Any

from tests.ledger.books import Books, line
from tests.vouchers.conftest import VOUCHERS
from tests.vouchers.voucher_history import hashed
from tests.wallets.conftest import WALLETS

LAST = date(2025, 11, 30)

_SETUP = """
    insert into duly.sellers (id, name, street, postal_code, city, country, vat_id, tax_currency)
        values ('house', 'House', 'Street 1', '1', 'City', 'DE', 'DE123456789', 'EUR');
    insert into duly.exchange_rates (currency, rate_on, per_euro, imported_by)
        values ('JPY', '2025-11-03', 160, 'ada'), ('KWD', '2025-11-03', 0.35, 'ada');
    insert into duly.tax_rates (id, name, percent, category)
        values ('reduced', 'Reduced', 7, 'S'), ('reverse', 'Reverse charge', 0, 'AE');
    update duly.products set product_line = 'cards' where id = 'gold';
    update duly.products set tax_rate_id = 'reduced' where id = (select write_off_product_id from duly.definitions);
    select duly.open_account('buyer', 'EUR', 'Voucher'), duly.open_account('ahead', 'EUR', 'Paid too much'),
        duly.open_account('wallet', 'EUR', 'Wallet'), duly.open_account('kuwait', 'KWD', 'Kuwait'),
        duly.open_account('japan', 'JPY', 'Japan');
    update duly.accounts set region = 'DE', segment = 'home' where id = 'acc_1';
    update duly.accounts set region = 'AT', segment = 'firm' where id = 'acc_2';
    insert into duly.postal_addresses values
        ('acc_1', '', 'S', '', '1', 'C', 'DE'), ('acc_2', '', 'S', '', '1', 'C', 'AT');
    insert into duly.merchants (id, name, currency) values ('cafe', 'Cafe', 'JPY'), ('bakery', 'Bakery', 'EUR');
    insert into duly.providers (id, gateway, mode, merchant_id)
        values ('stripe', 'stripe', 'test', null), ('shop', 'stripe', 'test', 'cafe'),
            ('oven', 'stripe', 'test', 'bakery');
    insert into duly.payment_preferences (id, account_id, payment_method_id)
        select 'pref_' || id, id, 'card' from duly.accounts where kind = 'customer';
    insert into duly.cards (id, account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year,
        is_recurring)
        values ('visa', 'acc_1', 'pref_acc_1', 'stripe', 'pm_1', 'visa', '4242', 12, 2030, true),
            ('master', 'acc_2', 'pref_acc_2', 'stripe', 'pm_2', 'mastercard', '4444', 11, 2025, true),
            ('amex', 'kuwait', 'pref_kuwait', 'stripe', 'pm_3', 'amex', '0005', 12, 2030, true),
            ('jcb', 'japan', 'pref_japan', 'shop', 'pm_4', 'jcb', '0000', 12, 2030, true)
"""

# Account, price, months of the term, from, until, trial until, discount in percent from November on.
_SUBSCRIPTIONS = (
    ("yearly", "acc_1", 1200_00, 12, "2025-01-15", None, None, None),
    ("quarterly", "acc_2", 90_00, 3, "2025-02-01", "2026-01-31", None, 10),
    ("tried", "ahead", 50_00, 1, "2025-11-15", None, "2025-12-14", None),
    ("monthly", "wallet", 29_90, 1, "2025-10-31", None, None, None),
    ("stopped", "buyer", 40_00, 1, "2025-01-01", "2025-11-30", None, None),
    ("dinar", "kuwait", 5_000, 1, "2025-09-01", None, None, None),
)


def sold(net_minor: int, percent: int, rate: str, product: str = "gold", **fields: Any) -> dict[str, Any]:
    """Return a line with the id of its rate."""
    return {**line(net_minor, product=product, tax_percent=percent), "tax_rate_id": rate, **fields}


class SmallLedger:
    """Writes the ledger by its own functions."""

    def __init__(self, books: Books, owner: Books) -> None:
        self.books, self.owner = books, owner

    def write(self) -> None:
        """Write all of it."""
        self.owner.configure(WALLETS + VOUCHERS)
        for statement in filter(str.strip, _SETUP.split(";")):
            self.owner.run(statement)
        self._subscribe()
        self._documents()
        self._gateways()
        self._prepaid()
        self._move_to_the_last_day()

    def _subscribe(self) -> None:
        for id, account, price, term, starts_on, ends_on, trial, discount in _SUBSCRIPTIONS:
            currency = "KWD" if account == "kuwait" else "EUR"
            self.owner.run(
                "insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, billing_day,"
                " starts_on, ends_on, term_months) values (%s, %s, 'gold', %s, %s, 1, %s, %s, %s)",
                *(id, account, price, currency, starts_on, ends_on, term),
            )
            self.owner.run(
                "insert into duly.subscription_changes (subscription_id, version, kind, from_on, product_id,"
                " price_minor, quantity, term_months, billing_day, anchor_on, ends_on, trial_ends_on, actor, reason)"
                " select id, 1, 'started', starts_on, product_id, price_minor, quantity, term_months, billing_day,"
                " starts_on, ends_on, %s, 'maria', 'as agreed' from duly.subscriptions where id = %s",
                *(trial, id),
            )
            if discount:
                self.owner.run(
                    "insert into duly.subscription_changes (subscription_id, version, kind, from_on, discount_percent,"
                    " actor, reason) values (%s, 2, 'changed', '2025-11-01', %s, 'maria', 'as agreed')",
                    *(id, discount),
                )

    def _documents(self) -> None:
        books, standard = self.books, (19, "standard")
        discounted = {**sold(100_00, *standard), "unit_price_minor": 120_00, "discount_minor": 20_00}
        first = books.invoice("E1", "acc_1", lines=[{**discounted, "sales_channel": "shop"}], posted_on=_on(10, 10))
        lost = books.invoice("E2", "acc_1", lines=[sold(30_00, 7, "reduced", "silver")], posted_on=_on(10, 12))
        books.pay("E3", "acc_1", 119_00, posted_on=_on(10, 20), addressed_invoice_ids=[first])
        two = [sold(50_00, 7, "reduced", "silver"), sold(33_33, *standard)]
        self.fourth = books.invoice("E4", "acc_1", lines=two, posted_on=_on(11, 3))
        self.fifth = books.invoice("E5", "acc_2", lines=[sold(200_00, 0, "reverse")], posted_on=_on(11, 5))
        wrong = books.invoice("E6", "acc_2", lines=[sold(10_00, *standard)], posted_on=_on(11, 6))
        credit = {"lines": [sold(33_33, *standard)], "addressed_invoice_ids": [self.fourth], "posted_on": _on(11, 10)}
        books.call("create_credit_note", key="E7", account_id="acc_1", currency="EUR", **credit)
        bank = {"method": "bank_transfer", "addressed_invoice_ids": [self.fifth]}
        books.pay("E8", "acc_2", 150_00, posted_on=_on(11, 15), **bank)
        returned = books.pay("E9", "acc_2", 5_00, posted_on=_on(11, 16), addressed_invoice_ids=[self.fifth])
        books.call("cancel_payment", key="E9x", payment_id=returned, posted_on=_on(11, 17))
        books.call("cancel_invoice", key="E10", invoice_id=wrong, posted_on=_on(11, 20))
        books.call("write_off", key="E11", invoice_id=lost, type_id="write_off", posted_on=_on(11, 21))
        books.pay("E12", "ahead", 30_00, posted_on=_on(11, 3))
        back = {"account_id": "ahead", "amount_minor": 10_00, "currency": "EUR", "method": "cash"}
        books.call("create_refund", key="E12r", posted_on=_on(11, 9), **back)
        kwd, jpy = [sold(12_345, *standard)], [sold(1000, 7, "reduced", "silver")]
        self.kuwaiti = books.invoice("K1", "kuwait", lines=kwd, currency="KWD", posted_on=_on(11, 4))
        self.japanese = books.invoice("J1", "japan", lines=jpy, currency="JPY", posted_on=_on(11, 4))

    def _gateways(self) -> None:
        self._charge("E13", "acc_1", 53_50, "EUR", "visa", self.fourth)
        self._charge("E14", "acc_2", 20_00, "EUR", "master", self.fifth)
        self._charge("K2", "kuwait", 14_691, "KWD", "amex", self.kuwaiti)
        payment = self._charge("J2", "japan", 1070, "JPY", "jcb", self.japanese, "shop")
        self._declined("D1", "acc_2", 25_00, "visa", self.fifth)
        drafted = "select (duly.make_refund('J3', 'japan', 70, 'JPY', 'card', 'shop', true)).transaction_id"
        refund = self.owner.value(drafted)
        self.owner.run("select duly.post_gateway_refund(%s, 're_1')", refund)
        for id, of, amount, state in (("du_1", "pi_E13", 53_50, "lost"), ("du_2", "pi_E14", 20_00, "won")):
            self.owner.run(
                "select duly.record_dispute(%s, 'stripe', %s, %s, %s, %s, 'EUR', 'fraudulent', null, false, %s, %s,"
                " 1500)",
                *(id, of, state, state, amount, amount, amount if state == "won" else 0),
            )
        self.owner.run("update duly.disputes set opened_at = '2025-11-30 11:00Z'")
        self.owner.run(
            "select duly.expect_movement('stripe', 'fee_1', 'application_fee', 'japan', %s, 50, 'JPY')", payment
        )
        for key, kind, provider, currency, amount in (
            ("fee", "fee", "stripe", "EUR", 1_50),
            ("taken", "platform_fee", "shop", "JPY", 50),
            ("fee_1", "application_fee", "stripe", "JPY", 50),
            ("payout", "payout", "stripe", "EUR", 10_00),
        ):
            self.owner.run(
                "select duly.book_gateway_movement(%s, %s, %s, %s, %s, %s, %s)",
                *(key, kind, provider, currency, amount, key, LAST),
            )

    def _charge(
        self, key: str, account: str, amount: int, currency: str, card: str, invoice: str, provider: str = "stripe"
    ) -> str:
        payment = self._drafted(key, account, amount, currency, invoice, provider)
        self.owner.run("select duly.post_gateway_payment(%s, %s)", payment, f"pi_{key}")
        self._request(key, account, amount, currency, card, invoice, provider, payment)
        return payment

    def _drafted(self, key: str, account: str, amount: int, currency: str, invoice: str, provider: str) -> str:
        draft = "select duly.draft_payment(%s, %s, %s, %s, 'card', %s, %s, 'system')"
        return str(self.owner.value(draft, key, account, amount, currency, provider, [invoice]))

    def _declined(self, key: str, account: str, amount: int, card: str, invoice: str) -> None:
        payment = self._drafted(key, account, amount, "EUR", invoice, "stripe")
        self.owner.run("select duly.reject_payment(%s, 'insufficient_funds')", payment)
        self._request(key, account, amount, "EUR", card, invoice, "stripe", payment, is_paid=False)
        # The answer came before whatever has paid the invoice since.
        self.owner.run("update duly.gateway_attempts set sent_at = '2025-11-06 09:00Z' where request_id = %s", key)

    def _request(
        self, key: str, account: str, amount: int, currency: str, card: str, invoice: str, provider: str,
        payment: str, *, is_paid: bool = True,
    ) -> None:  # fmt: skip
        self.owner.run(
            "insert into duly.gateway_requests (id, kind, provider_id, account_id, period, amount_minor, currency,"
            " state, executed_at, invoices, transaction_id, gateway_reference)"
            " values (%s, 'payment', %s, %s, %s, %s, %s, %s, now(), %s, %s, %s)",
            *(key, provider, account, f"2025-11-{key}", amount, currency, "posted" if is_paid else "rejected"),
            *([invoice], payment if is_paid else None, f"pi_{key}" if is_paid else None),
        )
        self.owner.run(
            "insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, card_id, token, customer,"
            " payment_id, amount_minor, outcome, code, decline_code, sent_at, finished_at) values (%s, 1, %s,"
            " 'scheduled', %s, 'pm', 'cus', %s, %s, %s, %s, %s, '2025-11-30 10:00Z', now())",
            *(key, f"{key}/1", card, payment, amount, "succeeded" if is_paid else "declined"),
            *("" if is_paid else "card_declined", "" if is_paid else "insufficient_funds"),
        )

    def _prepaid(self) -> None:
        books = self.books
        issue = "select duly.issue_vouchers(%s, 'sold', 2500, 'EUR', %s, 'buyer')"
        books.run(issue, "E15", [hashed("code")])
        books.pay("E15p", "buyer", 25_00, posted_on=LAST)
        books.run("select duly.redeem_voucher('E16', 'acc_2', %s)", hashed("code"))
        books.run("select duly.wallet_credit('E17', 'wallet', 4000, 'EUR', 'top_up')")
        books.pay("E17p", "wallet", 40_00, posted_on=LAST)
        books.run("select duly.wallet_debit('E18', 'wallet', 1190, 'EUR', 'film')")

    def _move_to_the_last_day(self) -> None:
        days = {
            "financial_transactions": ("posted_on", "issued_on"),
            "transfers": ("posted_on",),
            "gateway_bookings": ("posted_on",),
            "wallet_transactions": ("posted_on",),
            "voucher_transactions": ("posted_on",),
        }
        for table, columns in days.items():
            self.owner.run(f"alter table duly.{table} disable trigger user")
            for column in columns:
                self.owner.run(f"update duly.{table} set {column} = %s where {column} > %s", LAST, LAST)
            self.owner.run(f"alter table duly.{table} enable trigger user")


def _on(month: int, day: int) -> date:
    return date(2025, month, day)
