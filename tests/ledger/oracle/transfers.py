"""The chart of accounts and the transfers of every event: one amount, one ledger account debited, another credited."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.ledger.account import AccountKind
from models.ledger.transaction import Classification, Side
from tests.ledger.oracle.life_cycle import side_of


class LedgerAccountKind(StrEnum):
    """The kinds of ledger account; most are kept by account, product or provider, named after a colon."""

    RECEIVABLE = "receivable"
    SUSPENSE = "suspense"
    WRITTEN_OFF = "written_off"
    INTERNAL = "internal"
    REVENUE = "revenue"
    VAT_PAYABLE = "vat_payable"
    GATEWAY_CLEARING = "gateway_clearing"
    GATEWAY_FEES = "gateway_fees"
    PLATFORM_FEES = "platform_fees"
    APPLICATION_FEES = "application_fees"
    MERCHANT_PAYABLES = "merchant_payables"
    DUE_FROM_PLATFORM = "due_from_platform"
    BANK = "bank"
    CASH = "cash"
    OTHER_METHODS = "other_methods"
    WRITE_OFF = "write_off"
    BAD_DEBT_ALLOWANCE = "bad_debt_allowance"
    REWARD_EXPENSE = "reward_expense"
    DISPUTE_HOLDING = "dispute_holding"
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    WALLET = "wallet"
    WALLET_CLEARING = "wallet_clearing"
    WALLET_TOP_UPS = "wallet_top_ups"
    VOUCHERS = "vouchers"
    VOUCHER_CLEARING = "voucher_clearing"


class GatewayMovement(StrEnum):
    """What moves money at the gateway without touching a customer's account."""

    FEE = "fee"
    FEE_REFUND = "fee_refund"
    PLATFORM_FEE = "platform_fee"
    PLATFORM_FEE_REFUND = "platform_fee_refund"
    APPLICATION_FEE = "application_fee"
    APPLICATION_FEE_REFUND = "application_fee_refund"
    MERCHANT_OWED = "merchant_owed"
    MERCHANT_OWED_LESS = "merchant_owed_less"
    TRANSFER_RECEIVED = "transfer_received"
    TRANSFER_RETURNED = "transfer_returned"
    DISPUTE_HELD = "dispute_held"
    DISPUTE_RELEASED = "dispute_released"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_REGAINED = "dispute_regained"
    PAYOUT = "payout"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_PULLED = "payout_pulled"
    PAYOUT_PULL_FAILED = "payout_pull_failed"
    PAYOUT_ARRIVED = "payout_arrived"
    PAYOUT_WITHDRAWN = "payout_withdrawn"
    PAYOUT_FEE = "payout_fee"
    DEBITS_COLLECTED = "debits_collected"
    DEBITS_RETURNED = "debits_returned"
    TOPUP = "topup"
    TOPUP_BACK = "topup_back"


@dataclass(frozen=True)
class Transfer:
    """One positive amount in minor units, from the ledger account credited to the one debited."""

    debit: str
    credit: str
    amount_minor: int

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("amount_minor of a transfer must be above 0")
        if self.debit == self.credit:
            raise ValueError("a transfer joins two different ledger accounts")

    def reversed(self) -> "Transfer":
        """Return the transfer that undoes this one."""
        return Transfer(debit=self.credit, credit=self.debit, amount_minor=self.amount_minor)


_OWN_KIND = {
    AccountKind.CUSTOMER: LedgerAccountKind.RECEIVABLE,
    AccountKind.SUSPENSE: LedgerAccountKind.SUSPENSE,
    AccountKind.WRITE_OFF: LedgerAccountKind.WRITTEN_OFF,
    AccountKind.INTERNAL: LedgerAccountKind.INTERNAL,
}


def own_ledger_account(kind: AccountKind, account_id: str) -> str:
    """Return the ledger account that an account's balance is."""
    return f"{_OWN_KIND[kind]}:{account_id}"


def gateway_clearing(provider: str) -> str:
    """Return where a provider holds our money; the currency is a column of the transfer."""
    return f"{LedgerAccountKind.GATEWAY_CLEARING}:{provider}"


def document_transfers(
    classification: Classification, own: str, net_by_account: Mapping[str, int], tax_minor: int
) -> list[Transfer]:
    """Return the transfers of a document with lines: one for each ledger account its lines name, one for the tax."""
    amounts = {name: net_by_account[name] for name in sorted(net_by_account)}
    amounts[LedgerAccountKind.VAT_PAYABLE] = tax_minor
    return [_between(classification, own, other, amount) for other, amount in amounts.items() if amount]


def money_transfers(classification: Classification, own: str, money: str, amount_minor: int) -> list[Transfer]:
    """Return the transfer of a payment or refund, between the account and where the money is."""
    return [_between(classification, own, money, amount_minor)]


def cancellation_transfers(cancelled: Sequence[Transfer]) -> list[Transfer]:
    """Return the transfers of a cancellation: those of the cancelled document, turned round."""
    return [transfer.reversed() for transfer in cancelled]


def gateway_movement_transfer(movement: GatewayMovement, provider: str, amount_minor: int) -> Transfer:
    """Return the transfer of a fee, dispute or payout at a provider."""
    clearing = gateway_clearing(provider)
    fees = f"{LedgerAccountKind.GATEWAY_FEES}:{provider}"
    taken, earned = f"{LedgerAccountKind.PLATFORM_FEES}:{provider}", f"{LedgerAccountKind.APPLICATION_FEES}:{provider}"
    payable, due = (
        f"{LedgerAccountKind.MERCHANT_PAYABLES}:{provider}",
        f"{LedgerAccountKind.DUE_FROM_PLATFORM}:{provider}",
    )
    holding = f"{LedgerAccountKind.DISPUTE_HOLDING}:{provider}"
    transit = f"{LedgerAccountKind.PAYOUTS_IN_TRANSIT}:{provider}"
    debit, credit = {
        GatewayMovement.FEE: (fees, clearing),
        GatewayMovement.FEE_REFUND: (clearing, fees),
        GatewayMovement.PLATFORM_FEE: (taken, clearing),
        GatewayMovement.PLATFORM_FEE_REFUND: (clearing, taken),
        GatewayMovement.APPLICATION_FEE: (clearing, earned),
        GatewayMovement.APPLICATION_FEE_REFUND: (earned, clearing),
        GatewayMovement.MERCHANT_OWED: (due, payable),
        GatewayMovement.MERCHANT_OWED_LESS: (payable, due),
        GatewayMovement.TRANSFER_RECEIVED: (clearing, due),
        GatewayMovement.TRANSFER_RETURNED: (due, clearing),
        GatewayMovement.DISPUTE_HELD: (holding, clearing),
        GatewayMovement.DISPUTE_RELEASED: (clearing, holding),
        GatewayMovement.DISPUTE_LOST: (clearing, holding),
        GatewayMovement.DISPUTE_REGAINED: (holding, clearing),
        GatewayMovement.PAYOUT: (transit, clearing),
        GatewayMovement.PAYOUT_FAILED: (clearing, transit),
        GatewayMovement.PAYOUT_PULLED: (clearing, transit),
        GatewayMovement.PAYOUT_PULL_FAILED: (transit, clearing),
        GatewayMovement.PAYOUT_ARRIVED: (LedgerAccountKind.BANK, transit),
        GatewayMovement.PAYOUT_WITHDRAWN: (transit, LedgerAccountKind.BANK),
        GatewayMovement.PAYOUT_FEE: (fees, LedgerAccountKind.BANK),
        GatewayMovement.DEBITS_COLLECTED: (LedgerAccountKind.BANK, clearing),
        GatewayMovement.DEBITS_RETURNED: (clearing, LedgerAccountKind.BANK),
        GatewayMovement.TOPUP: (clearing, LedgerAccountKind.BANK),
        GatewayMovement.TOPUP_BACK: (LedgerAccountKind.BANK, clearing),
    }[movement]
    return Transfer(debit=debit, credit=credit, amount_minor=amount_minor)


def balances(transfers: Sequence[Transfer]) -> dict[str, int]:
    """Return debits less credits of every ledger account; they add up to zero, whatever the transfers are."""
    sums: dict[str, int] = defaultdict(int)
    for transfer in transfers:
        sums[transfer.debit] += transfer.amount_minor
        sums[transfer.credit] -= transfer.amount_minor
    assert sum(sums.values()) == 0, "every transfer has two sides"
    return dict(sums)


def _between(classification: Classification, own: str, other: str, amount_minor: int) -> Transfer:
    if side_of(classification) is Side.DEBIT:
        return Transfer(debit=own, credit=other, amount_minor=amount_minor)
    return Transfer(debit=other, credit=own, amount_minor=amount_minor)
