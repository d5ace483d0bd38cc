"""A merchant whose receivables hold three invoices each, so that few invoices make several of them."""

import pytest

from tests.support.builders import Merchant

HELD = 3


@pytest.fixture
async def small_parts(merchant: Merchant) -> Merchant:
    """The merchant with receivables of three invoices at most."""
    await merchant.run(
        "create or replace function duly.invoices_at_most() returns bigint language sql immutable parallel safe"
        f" as 'select {HELD}::bigint'"
    )
    return merchant
