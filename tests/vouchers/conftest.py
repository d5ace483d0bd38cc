"""A ledger with vouchers: a type that is sold, one that is given and ends, and a method of payment for both."""

from collections.abc import Iterator

import pytest

from tests.ledger.books import Books
from tests.ledger.conftest import set_up

VOUCHERS = """
[[products]]
id = "gift"
name = "Gift voucher"
ledger_account = "voucher_clearing"

[[payment_methods]]
id = "gift_voucher"
name = "Voucher"
ledger_account = "voucher_clearing"

[[transaction_types]]
id = "voucher_payment"
name = "Payment by voucher"
classification = "payment"
payment_methods = ["gift_voucher"]

[[voucher_types]]
id = "sold"
name = "Gift voucher"
product = "gift"
payment_method = "gift_voucher"
payment_type = "voucher_payment"

[[voucher_types]]
id = "given"
name = "Promotion"
ledger_account = "reward_expense:vouchers"
payment_method = "gift_voucher"
payment_type = "voucher_payment"
expires_after_days = 30
"""


@pytest.fixture
def voucher_owner(owner_database_url: str) -> Iterator[Books]:
    """The ledger with vouchers under the role that owns the tables."""
    books = Books(owner_database_url)
    set_up(books)
    books.configure(VOUCHERS)
    yield books
    books.close()


@pytest.fixture
def vouchers(voucher_owner: Books, database_url: str) -> Iterator[Books]:
    """The ledger with vouchers under the runtime role. Whatever a test does, no invariant may be broken at its end."""
    books = Books(database_url)
    yield books
    assert books.violations() == []
    books.close()
