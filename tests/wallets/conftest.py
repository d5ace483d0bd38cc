"""A ledger with wallets: types that invoice a top-up, give a present, buy, pay what is owed, and book what expires."""

from collections.abc import Iterator

import pytest

from tests.ledger.books import Books
from tests.ledger.conftest import set_up

WALLETS = """
[[products]]
id = "top_up"
name = "Wallet top-up"
ledger_account = "wallet_clearing"

[[products]]
id = "film"
name = "Film"
tax_rate = "standard"

[[payment_methods]]
id = "prepaid"
name = "From the wallet"
ledger_account = "wallet_clearing"

[[transaction_types]]
id = "wallet_payment"
name = "Payment into the wallet"
classification = "payment"
payment_methods = ["cash"]

[[transaction_types]]
id = "wallet_payment_cancellation"
name = "Cancellation of a payment into the wallet"
classification = "payment_cancellation"

[[wallet_transaction_types]]
id = "top_up"
name = "Top-up"
direction = "credit"
product = "top_up"
funded_by = ["wallet_payment"]
voided_by = ["wallet_payment_cancellation"]

[[wallet_transaction_types]]
id = "present"
name = "Present"
direction = "credit"
ledger_account = "reward_expense:wallets"
expires_after_days = 30

[[wallet_transaction_types]]
id = "spend"
name = "Payment of what is owed"
direction = "debit"
payment_method = "prepaid"

[[wallet_transaction_types]]
id = "film"
name = "A film"
direction = "debit"
product = "film"
payment_method = "prepaid"

[[wallet_transaction_types]]
id = "expired"
name = "Expired"
direction = "debit"
ledger_account = "revenue:breakage"
books_expiry = true

[[wallet_limits]]
currency = "EUR"
maximum = "100.00"
"""


@pytest.fixture
def wallet_owner(owner_database_url: str) -> Iterator[Books]:
    """The ledger with wallets under the role that owns the tables."""
    books = Books(owner_database_url)
    set_up(books)
    books.configure(WALLETS)
    yield books
    books.close()


@pytest.fixture
def wallets(wallet_owner: Books, database_url: str) -> Iterator[Books]:
    """The ledger with wallets under the runtime role. Whatever a test does, no invariant may be broken at its end."""
    books = Books(database_url)
    yield books
    assert books.violations() == []
    books.close()
