import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ledger.account import AccountKind
from models.ledger.transaction import Classification
from tests.ledger.oracle.transfers import (
    GatewayMovement,
    Transfer,
    balances,
    cancellation_transfers,
    document_transfers,
    gateway_movement_transfer,
    money_transfers,
    own_ledger_account,
)

OWN = own_ledger_account(AccountKind.CUSTOMER, "acc_1")


def test_an_invoice_debits_the_receivable_for_each_revenue_and_the_tax() -> None:
    transfers = document_transfers(Classification.INVOICE, OWN, {"revenue:gold": 8500, "revenue:silver": 8000}, 3135)

    assert transfers == [
        Transfer(OWN, "revenue:gold", 8500),
        Transfer(OWN, "revenue:silver", 8000),
        Transfer(OWN, "vat_payable", 3135),
    ]


def test_what_is_nothing_is_not_transferred() -> None:
    assert document_transfers(Classification.CREDIT_NOTE, OWN, {"revenue:gold": 100}, 0) == [
        Transfer("revenue:gold", OWN, 100)
    ]


def test_a_payment_moves_money_from_the_receivable_to_where_it_is() -> None:
    assert money_transfers(Classification.PAYMENT, OWN, "gateway_clearing:stripe", 100) == [
        Transfer("gateway_clearing:stripe", OWN, 100)
    ]


@given(
    st.dictionaries(st.sampled_from(["revenue:a", "revenue:b"]), st.integers(1, 1000), min_size=1), st.integers(0, 99)
)
def test_a_document_and_its_cancellation_leave_every_ledger_account_as_it_was(nets: dict[str, int], tax: int) -> None:
    transfers = document_transfers(Classification.INVOICE, OWN, nets, tax)

    assert set(balances([*transfers, *cancellation_transfers(transfers)]).values()) == {0}


@pytest.mark.parametrize("movement", GatewayMovement)
def test_every_gateway_movement_touches_clearing_but_for_payouts_at_the_bank_and_what_is_owed_to_merchants(
    movement: GatewayMovement,
) -> None:
    transfer = gateway_movement_transfer(movement, "stripe", 30)

    # What is owed to a merchant moves when a payment or a refund is booked; what moves on the balance is its transfer.
    elsewhere = {
        GatewayMovement.PAYOUT_ARRIVED: "payouts_in_transit:stripe",
        GatewayMovement.PAYOUT_WITHDRAWN: "payouts_in_transit:stripe",
        # The bank takes it of what has arrived whole.
        GatewayMovement.PAYOUT_FEE: "bank",
        GatewayMovement.MERCHANT_OWED: "merchant_payables:stripe",
        GatewayMovement.MERCHANT_OWED_LESS: "merchant_payables:stripe",
    }
    assert elsewhere.get(movement, "gateway_clearing:stripe") in {transfer.debit, transfer.credit}


@pytest.mark.parametrize("kind", AccountKind)
def test_every_kind_of_account_has_its_ledger_account(kind: AccountKind) -> None:
    assert own_ledger_account(kind, "x").endswith(":x")


@pytest.mark.parametrize(
    ("debit", "credit", "amount"), [("bank", "bank", 1), ("bank", "cash", 0), ("bank", "cash", -1)]
)
def test_a_transfer_has_two_accounts_and_a_positive_amount(debit: str, credit: str, amount: int) -> None:
    with pytest.raises(ValueError, match="transfer"):
        Transfer(debit, credit, amount)
