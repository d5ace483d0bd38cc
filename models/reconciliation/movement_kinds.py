"""What a movement on the gateway's balance is of its source: decided by reporting category, then by type.

Source: Stripe's reporting categories and balance transaction types. Both lists are open: what is not here is `OTHER`,
which is booked to nothing and listed for a person.
"""

from enum import StrEnum
from types import MappingProxyType


class EntryKind(StrEnum):
    """The part of its source's life that a movement is; each is expected once of a source."""

    CHARGE = "charge"
    CHARGE_BACK = "charge_back"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    PAYOUT_OUT = "payout_out"
    PAYOUT_BACK = "payout_back"
    FEE = "fee"
    TOPUP = "topup"
    TOPUP_BACK = "topup_back"
    APPLICATION_FEE = "application_fee"
    APPLICATION_FEE_REFUND = "application_fee_refund"
    TRANSFER = "transfer"
    TRANSFER_REVERSAL = "transfer_reversal"
    OTHER = "other"


# What a platform takes of charges on its merchants' accounts, and gives back: its source is the charge.
FEES_OF_CHARGES = frozenset({EntryKind.APPLICATION_FEE, EntryKind.APPLICATION_FEE_REFUND})

_OF_CATEGORY = MappingProxyType(
    {
        "charge": EntryKind.CHARGE,
        "charge_failure": EntryKind.CHARGE_BACK,
        "refund": EntryKind.REFUND,
        "refund_failure": EntryKind.REFUND_FAILURE,
        "dispute": EntryKind.DISPUTE,
        "dispute_reversal": EntryKind.DISPUTE_REVERSAL,
        "payout": EntryKind.PAYOUT_OUT,
        "payout_reversal": EntryKind.PAYOUT_BACK,
        "fee": EntryKind.FEE,
        "network_cost": EntryKind.FEE,
        "tax": EntryKind.FEE,
        "platform_earning": EntryKind.APPLICATION_FEE,
        "platform_earning_refund": EntryKind.APPLICATION_FEE_REFUND,
        "topup": EntryKind.TOPUP,
        "topup_reversal": EntryKind.TOPUP_BACK,
        "transfer": EntryKind.TRANSFER,
        "transfer_reversal": EntryKind.TRANSFER_REVERSAL,
    }
)

# Types that say it where the category is one that we do not know.
_OF_TYPE = MappingProxyType(
    {
        "charge": EntryKind.CHARGE,
        "payment": EntryKind.CHARGE,
        "payment_failure_refund": EntryKind.CHARGE_BACK,
        "payment_reversal": EntryKind.CHARGE_BACK,
        "refund": EntryKind.REFUND,
        "payment_refund": EntryKind.REFUND,
        "refund_failure": EntryKind.REFUND_FAILURE,
        "payout": EntryKind.PAYOUT_OUT,
        "payout_failure": EntryKind.PAYOUT_BACK,
        "payout_cancel": EntryKind.PAYOUT_BACK,
        "stripe_fee": EntryKind.FEE,
        "stripe_fx_fee": EntryKind.FEE,
        "tax_fee": EntryKind.FEE,
        "application_fee": EntryKind.APPLICATION_FEE,
        "application_fee_refund": EntryKind.APPLICATION_FEE_REFUND,
        "topup": EntryKind.TOPUP,
        "topup_reversal": EntryKind.TOPUP_BACK,
        "transfer": EntryKind.TRANSFER,
        "transfer_refund": EntryKind.TRANSFER_REVERSAL,
    }
)


_OF_DISPUTES = frozenset({EntryKind.DISPUTE, EntryKind.DISPUTE_REVERSAL})


def entry_kind(category: str, type_: str, amount_minor: int) -> EntryKind:
    """Return what a movement is of its source; of a dispute its sign says it, for a reversal may be cancelled."""
    kind = _OF_CATEGORY.get(category) or _OF_TYPE.get(type_) or EntryKind.OTHER
    if kind in _OF_DISPUTES:
        return EntryKind.DISPUTE_REVERSAL if amount_minor > 0 else EntryKind.DISPUTE
    return kind
